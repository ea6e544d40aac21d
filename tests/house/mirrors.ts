/** Every file of the library that does something has a test at the same place under tests/. @module */

import { type Source, sourcesOf } from "./source.ts";
import type { Finding, Rule, Tree } from "./tree.ts";

/** Files that no test can import, with the reason. */
const apart: Readonly<Record<string, string>> = {
  "transport/launch/mod.ts": "a list and a program, which tests/transport/launch/command_test.ts runs",
  "transport/launch/project_host.ts":
    "ends the process that loads it; tests/transport/launch/project_test.ts starts it",
};

const looked = (file: string) =>
  /^(compressors|optimizers|transport|wasm|testing)\/|^(random|bytes|options|launch)\.ts$/.test(file);

/** Whether a file has nothing to run: only types, and what it passes on from other files. */
function isPassive({ code }: Source): boolean {
  const statements =
    /^(?:import|export)\b[^"';=()]*?\bfrom\s*"[^"]+";|^import\s*"[^"]+";|^(?:export\s+)?(?:interface\b[^]*?^\}|type\s[^]*?;$)/gm;
  return code.replace(statements, "").trim() === "";
}

export const mirrors = (exempt: Readonly<Record<string, string>> = apart): Rule =>
  function* (tree: Tree): Generator<Finding> {
    for (const [file, source] of sourcesOf(tree)) {
      const test = `tests/${file.replace(/\.ts$/, "_test.ts")}`;
      if (!looked(file) || file in exempt || isPassive(source) || tree.has(test)) continue;
      yield { file, line: 0, says: `has no test of its own, expected ${test}` };
    }
    for (const file of Object.keys(exempt)) {
      if (!tree.has(file)) yield { file, line: 0, says: "is exempted in tests/house/mirrors.ts, expected to be there" };
    }
  };
