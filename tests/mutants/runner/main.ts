/**
 * Makes wrong changes of the code, one after the other, and expects the tests to notice: `deno task mutants --help`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse_args.js";
import { type Progress, progress } from "../../../examples/terminal/progress.ts";
import { table } from "../../../examples/terminal/table.ts";
import { killAll } from "./deno.ts";
import { faultsOf, readLists } from "./lists.ts";
import { runMutants, type Verdict } from "./run.ts";
import { filesOf, removeTrees } from "./tree.ts";

const HELP =
  `Makes wrong changes of the code ("mutants", listed in tests/mutants/), each in a copy of the project, and runs the tests
that must notice. Exits with 1 if one is not noticed by anything but pinned bytes, or if a list does not fit the code.

deno task mutants [options]
  --only AREA   the mutants of one list only, tests/mutants/AREA.ts; may be repeated
  --name TEXT   only mutants whose names hold the text
  --jobs N      how many are tried at the same time; default: one for each core
  --list        lists them and what is wrong with the lists; runs nothing
  --help`;

const options = parseArgs(Deno.args, {
  string: ["only", "name", "jobs"],
  boolean: ["list", "help"],
  collect: ["only"],
  unknown: (argument: string) => exit(`Cannot run mutants: there is no option ${argument}\n\n${HELP}`),
});
if (options.help) {
  console.log(HELP);
  Deno.exit(0);
}
const jobs = options.jobs === undefined ? navigator.hardwareConcurrency : Number(options.jobs);
if (!(Number.isInteger(jobs) && jobs >= 1)) {
  exit(`Cannot run mutants: --jobs is ${options.jobs}, expected a number ≥ 1`);
}

const root = new URL("../../../", import.meta.url);
const files = await filesOf(root.pathname);
const lists = await readLists(new URL("../", import.meta.url), files);
for (const area of options.only) {
  if (!lists.has(area)) exit(`Cannot run mutants of ${area}: expected one of ${[...lists.keys()].join(", ")}`);
}
const chosen = [...lists].filter(([area]) => options.only.length === 0 || options.only.includes(area))
  .map(([area, mutants]) => [area, mutants.filter(({ name }) => name.includes(options.name ?? ""))] as const);
const faults = await faultsOf(new Map(chosen), root);
const mutants = chosen.flatMap(([area, mutants]) => mutants.map((mutant) => ({ area, mutant })));

if (options.list) {
  for (const { area, mutant } of mutants) console.log(`${area}: ${mutant.name} (${mutant.file})`);
  console.log(`${mutants.length} mutants in ${chosen.length} lists`);
}
if (faults.length > 0) exit(faults.join("\n"));
if (options.list) Deno.exit(0);
if (mutants.length === 0) exit("Cannot run mutants: none was chosen");

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.addSignalListener(signal, () => (killAll(), removeTrees(), exit(`ended by ${signal}`)));
}
const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
const start = performance.now(), terminal = Deno.stdout.isTerminal();
let done = 0, bar: Progress | undefined;
/** On a terminal a bar shows how far it is, and elsewhere a line tells of each mutant. */
function show(value: number, total: number, format: string, last = ""): void {
  if (!terminal) return;
  bar ??= progress(total, format);
  bar.update(value, { last: last.slice(0, 30) });
  if (value < total) return;
  bar.stop();
  bar = undefined;
}
console.log(`${mutants.length} mutants; first the type checker looks at them`);
const verdicts = await runMutants(mutants, {
  root: root.pathname.replace(/\/$/, ""),
  files,
  jobs,
  // What the tests are run with otherwise.
  flags: tasks.test.match(/--(allow|sanitize)\S*/g),
  onChecked: (done, total) => show(done, total, "types: {value}/{total}, {eta} s left"),
  onVerdict({ area, mutant, end, why, seconds }) {
    done++;
    show(done, mutants.length, "{value}/{total} mutants, {eta} s left  {last}", mutant.name);
    if (!terminal) {
      const noticed = end === "killed" ? `  (${why.split("\n")[0]!.slice(0, 120)})` : "";
      console.log(`${done}/${mutants.length} ${end} ${seconds.toFixed(1)} s  ${area}: ${mutant.name}${noticed}`);
    }
  },
});
report(verdicts);
if (verdicts.some(({ end }) => end !== "killed")) Deno.exitCode = 1;

function report(verdicts: readonly Verdict[]): void {
  const told = new Set<string>();
  for (const { area, mutant, end, why } of verdicts) {
    if (end === "killed") continue;
    const change = `${JSON.stringify(mutant.find)} → ${JSON.stringify(mutant.replace)}`;
    console.log(`\n${end}: ${area}: ${mutant.name}\n  ${mutant.file}: ${change}\n  tests: ${mutant.tests.join(", ")}`);
    if (why !== "") console.log(`  ${told.has(why) ? "as above" : why.replaceAll("\n", "\n  ")}`);
    told.add(why);
  }
  const row = (name: string, some: readonly Verdict[]) => {
    const count = (end: Verdict["end"]) => String(some.filter((verdict) => verdict.end === end).length);
    const seconds = some.reduce((sum, { seconds }) => sum + seconds, 0);
    const counts = [count("killed"), count("survived"), count("hung"), count("broken")];
    return [name, String(some.length), ...counts, seconds.toFixed(0)];
  };
  const areas = [...new Set(verdicts.map(({ area }) => area))];
  const rows = areas.map((area) => row(area, verdicts.filter((verdict) => verdict.area === area)));
  if (areas.length > 1) rows.push(row("all", verdicts));
  console.log(`\n${table(["area", "mutants", "killed", "survived", "hung", "broken", "seconds"], rows)}`);
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s in all`);
}

function exit(message: string): never {
  console.error(message);
  Deno.exit(1);
}
