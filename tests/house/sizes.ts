/** Folders and files are small enough to be looked through. @module */

import type { Finding, Tree } from "./tree.ts";

/** Most files and folders in one folder, without hidden ones: what one sees at a glance is about 20. */
const SIBLINGS = 22;
/** Most lines of a file of code. */
const LINES = 400;

export function* sizes(tree: Tree): Generator<Finding> {
  const folders = new Map<string, Set<string>>();
  for (const path of tree.keys()) {
    const parts = path.split("/");
    parts.forEach((name, i) => {
      if (name.startsWith(".")) return;
      const folder = parts.slice(0, i).join("/") || ".";
      if (!folders.has(folder)) folders.set(folder, new Set());
      folders.get(folder)!.add(name);
    });
  }
  for (const [file, { size }] of folders) {
    if (size > SIBLINGS) yield { file, line: 0, says: `holds ${size} files and folders, expected at most ${SIBLINGS}` };
  }
  for (const [file, text] of tree) {
    const lines = text.split("\n").length - 1;
    if (file.endsWith(".ts") && lines > LINES) {
      yield { file, line: LINES + 1, says: `has ${lines} lines, expected at most ${LINES}` };
    }
  }
}
