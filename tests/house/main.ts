/**
 * Checks the rules of the house on the project itself: `deno task ok` runs all of them, `deno run --allow-read
 * tests/house/main.ts circles links` those that are named.
 *
 * @module
 */

import { circles } from "./circles.ts";
import { documented } from "./documented.ts";
import { links } from "./links.ts";
import { mirrors } from "./mirrors.ts";
import { names } from "./names.ts";
import { orphans } from "./orphans.ts";
import { sizes } from "./sizes.ts";
import { readTree, type Rule } from "./tree.ts";
import { upward } from "./upward.ts";

const rules: Readonly<Record<string, Rule>> = {
  upward: upward(),
  circles,
  orphans,
  links,
  documented: documented(),
  sizes,
  names,
  mirrors: mirrors(),
};

const tree = readTree(new URL("../../", import.meta.url));
const asked = Deno.args.length > 0 ? Deno.args : Object.keys(rules);
const findings = asked.flatMap((rule) => {
  if (!Object.hasOwn(rules, rule)) throw new Error(`There is no rule ${rule}, expected some of ${Object.keys(rules)}`);
  return [...rules[rule]!(tree)].map(({ file, line, says }) =>
    `${file}${line === 0 ? "" : `:${line}`}: ${rule}: ${says}`
  );
});
for (const finding of findings) console.error(finding);
if (findings.length > 0) Deno.exit(1);
console.log(`${tree.size} files keep the rules of the house: ${asked.join(", ")}`);
