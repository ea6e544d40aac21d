/** What the rules of the house look at: the project's files, and what they find in them. @module */

/** The project's files: the text of each by its path from the root, "" for a file that is no text. */
export type Tree = ReadonlyMap<string, string>;

/** One place that breaks a rule. */
export interface Finding {
  readonly file: string;
  /** The line, from 1; 0 for the file as a whole. */
  readonly line: number;
  /** What is wrong and what would be right, in one sentence. */
  readonly says: string;
}

/** A rule: a pure function of the tree, so that a test can show it failing on a few lines. */
export type Rule = (tree: Tree) => Iterable<Finding>;

const texts = /\.(ts|md|json|svg)$|^LICENSE$/;
/** What holds nothing of the project's own. */
const apart = new Set([".git", "node_modules", "out"]);

/** Reads the tree below a folder, whose address ends with a slash. */
export function readTree(root: URL): Tree {
  const tree = new Map<string, string>();
  const read = (folder: string) => {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(new URL(folder || ".", root))) {
      if (apart.has(name)) continue;
      const path = folder + name;
      if (isDirectory) read(`${path}/`);
      if (isFile) tree.set(path, texts.test(name) ? Deno.readTextFileSync(new URL(path, root)) : "");
    }
  };
  read("");
  return new Map([...tree].sort(([a], [b]) => a < b ? -1 : 1));
}

/** The line, from 1, in which a character of a text stands. */
export const lineOf = (text: string, at: number): number => text.slice(0, at).split("\n").length;

/** The path that a reference such as `../options.ts` in a file names. */
export const resolve = (from: string, reference: string): string =>
  decodeURIComponent(new URL(reference, `file:///${from}`).pathname.slice(1));
