/** Whatever a file exports is used by another one, or by users of the library. @module */

import { entriesOf, type Source, sourcesOf } from "./source.ts";
import type { Finding, Tree } from "./tree.ts";

/** Whether the rule looks at a file's exports: those of tests are their own matter. */
const looked = (file: string) => !/^(tests|dependencies)\//.test(file);

export function* orphans(tree: Tree): Generator<Finding> {
  const sources = sourcesOf(tree);
  const byCode = new Set<string>(), byTests = new Set<string>();

  /** Notes that an export of a file is used, and what it stands for in the files it comes from. */
  function use(file: string, name: string, used: Set<string>): void {
    const id = `${file} ${name}`, source = sources.get(file);
    if (source === undefined || used.has(id)) return;
    used.add(id);
    for (const { from, names, reexports = [] } of source.imports) {
      reexports.forEach((here, i) => {
        if (here === name || name === "*") use(from, names[i]!, used);
        else if (here === "*") use(from, name, used);
      });
    }
  }

  for (const entry of entriesOf(tree).values()) use(entry, "*", byCode);
  for (const [file, { imports }] of sources) {
    for (const { from, names, reexports } of imports) {
      const used = file.startsWith("tests/") ? byTests : byCode;
      if (reexports === undefined) { for (const name of names) use(from, name, used); }
    }
  }

  const has = (used: Set<string>, file: string, name: string) => used.has(`${file} ${name}`) || used.has(`${file} *`);
  for (const [file, source] of sources) {
    if (!looked(file)) continue;
    for (const { name, line } of exportsOf(source)) {
      if (has(byCode, file, name)) continue;
      const own = [...source.code.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length > 1;
      if (!has(byTests, file, name)) {
        const right = own ? "no export" : "no such declaration";
        yield { file, line, says: `exports ${name}, which no other file imports, expected ${right}` };
      } else if (!own) {
        yield { file, line, says: `exports ${name}, which only tests use, expected a use in the library` };
      }
    }
  }
}

/** All names that a file exports, its own and those that it passes on by name. */
function exportsOf({ exports, imports }: Source): { readonly name: string; readonly line: number }[] {
  const passed = imports.flatMap(({ line, reexports = [] }) => reexports.map((name) => ({ name, line })));
  return [...exports, ...passed.filter(({ name }) => name !== "*")];
}
