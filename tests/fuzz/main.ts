/**
 * `deno task fuzz`: tries what strangers may send and users may write, for as long as it is told.
 *
 *     deno task fuzz --seconds 60
 *     deno task fuzz --cases 10000000 --seed 3
 *     deno task fuzz --only decoders --seed 3 --case 1234    makes one case again
 *
 * It ends with a table, and with exit code 1 if something was neither accepted nor refused in words.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { progress } from "../../examples/terminal/progress.ts";
import { areas } from "./areas.ts";
import { fuzz, type Result } from "./run.ts";

const { values: given } = parseArgs({
  args: Deno.args,
  options: {
    seconds: { type: "string" },
    cases: { type: "string" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    case: { type: "string" },
  },
});

function number(name: "seconds" | "cases" | "seed" | "case"): number | undefined {
  if (given[name] === undefined) return undefined;
  const value = Number(given[name]);
  if (Number.isFinite(value) && value >= 0) return value;
  console.error(`Cannot fuzz: --${name} is ${given[name]}, expected a number of at least 0`);
  Deno.exit(2);
}

const seed = number("seed")!, one = number("case"), cases = one === undefined ? number("cases") : 1;
const seconds = number("seconds") ?? (cases === undefined ? 60 : undefined);
const chosen = areas.filter(({ name }) => given.only === undefined || given.only === name);
if (chosen.length === 0) {
  console.error(
    `Cannot fuzz: there is no area ${given.only}, expected one of ${areas.map(({ name }) => name).join(", ")}`,
  );
  Deno.exit(2);
}

const shares = chosen.reduce((sum, { share }) => sum + share, 0), results: Result[] = [];
const total = cases ?? Math.max(1, seconds! * 1000);
const bar = progress(
  total,
  cases === undefined ? "{area} {percentage}% of {total} ms" : "{area} {value}/{total} cases",
);
let passed = 0;
for (const area of chosen) {
  const part = area.share / shares, begin = performance.now();
  const result = await fuzz(area, {
    seed,
    from: one ?? 0,
    cases: cases === undefined ? 2 ** 32 - 1 : Math.ceil(cases * part),
    within: seconds === undefined ? Infinity : seconds * 1000 * part,
    moved: (cases) => {
      const here = given.cases === undefined ? performance.now() - begin : cases;
      bar.update(Math.min(total, Math.round(passed + here)), { area: area.name });
    },
  });
  passed += given.cases === undefined ? performance.now() - begin : result.cases;
  results.push(result);
}
bar.update(total, { area: "" });
bar.stop();

console.table(Object.fromEntries(results.map(({ area, cases, accepted, refused, failures, seconds }) => [
  area,
  { cases, refused, accepted, failures: failures.length, "cases/s": Math.round(cases / Math.max(seconds, 1e-3)) },
])));
const failures = results.flatMap(({ failures }) => failures);
for (const { area, at, why, input } of failures) {
  console.log(`\n${area}: --only ${area} --seed ${seed} --case ${at}\n${why}\n${input}`);
}
console.log(`\n${results.reduce((sum, { cases }) => sum + cases, 0)} cases, ${failures.length} failures`);
Deno.exit(failures.length > 0 ? 1 : 0);
