/** One name for one thing: no two files of the library have one name, nor two types that are exported. @module */

import { sourcesOf } from "./source.ts";
import type { Finding, Tree } from "./tree.ts";

/** Files that say the same of each room: what is exported, and what can be named in text. */
const lists = new Set(["mod.ts", "factories.ts"]);
/** The rooms of the library. A file of testing/ bears the name of what it is the suite for. */
const library = (file: string) => !/^(tests|testing|examples|benches|dependencies)\//.test(file);

export function* names(tree: Tree): Generator<Finding> {
  const files = new Map<string, string>(), types = new Map<string, string>();
  for (const [file, { exports }] of sourcesOf(tree)) {
    const base = file.slice(file.lastIndexOf("/") + 1);
    if (library(file) && !lists.has(base)) {
      const other = files.get(base);
      if (other !== undefined) yield { file, line: 0, says: `has the name of ${other}, expected one of its own` };
      files.set(base, file);
    }
    if (/^(tests|examples|benches)\//.test(file)) continue;
    for (const { name, kind, line } of exports) {
      if (kind === "value") continue;
      const other = types.get(name);
      if (other !== undefined) {
        yield { file, line, says: `exports a type ${name} as ${other} does, expected another name` };
      }
      types.set(name, file);
    }
  }
}
