/** Every compressor and every method has a heading or a row of a table in its document. @module */

import { type Source, sourcesOf } from "./source.ts";
import type { Finding, Rule, Tree } from "./tree.ts";

/** The lists of factories, and the document of each. */
const documents: Readonly<Record<string, string>> = {
  "compressors/factories.ts": "docs/compressors.md",
  "optimizers/methods/factories.ts": "docs/methods.md",
};

/** The names of functions that begin a code span in headings and in the first cells of tables. */
function namedIn(text: string): Set<string> {
  const places = [...text.matchAll(/^(?:#+ (.*)|\| *([^|]*)\|.*)$/gm)].map(([, heading, cell]) => heading ?? cell!);
  return new Set(places.flatMap((place) => [...place.matchAll(/`(\w+)/g)].map(([, name]) => name!)));
}

/** Whether an export is a type, though it is passed on from other files. */
function isType(sources: ReadonlyMap<string, Source>, file: string, name: string): boolean {
  const { exports = [], imports = [] } = sources.get(file) ?? {};
  if (exports.some((made) => made.name === name && made.kind === "type")) return true;
  return imports.some(({ from, names, reexports = [] }) => {
    const at = reexports.indexOf(name);
    return at >= 0 && isType(sources, from, names[at]!);
  });
}

export const documented = (pairs: Readonly<Record<string, string>> = documents): Rule =>
  function* (tree: Tree): Generator<Finding> {
    const sources = sourcesOf(tree);
    for (const [list, document] of Object.entries(pairs)) {
      const named = namedIn(tree.get(document) ?? "");
      for (const { line, from, names, reexports = [] } of sources.get(list)?.imports ?? []) {
        for (const [i, name] of reexports.entries()) {
          if (isType(sources, from, names[i]!) || named.has(name)) continue;
          yield {
            file: list,
            line,
            says: `${name} is not in ${document}, expected a heading or a row that begins with it`,
          };
        }
      }
    }
  };
