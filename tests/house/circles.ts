/** No file imports itself through others, by types alone neither. @module */

import { sourcesOf } from "./source.ts";
import type { Finding, Tree } from "./tree.ts";

/** For each circle of imports that share files, the shortest: where it begins, and its way. */
export function* circles(tree: Tree): Generator<Finding> {
  const sources = sourcesOf(tree), told = new Set<string>();
  const next = (file: string) =>
    (sources.get(file)?.imports ?? []).filter(({ from, address }) => !address && sources.has(from));
  for (const start of sources.keys()) {
    // Breadth first from `start`, back to it.
    const before = new Map<string, string>(), queue = [start];
    for (const file of queue) {
      for (const { from } of next(file)) {
        if (!before.has(from)) before.set(from, file), queue.push(from);
      }
    }
    if (!before.has(start)) continue;
    const way = [start];
    for (let file = before.get(start)!; file !== start; file = before.get(file)!) way.unshift(file);
    way.unshift(start);
    const together = way.slice(1).toSorted().join();
    if (told.has(together)) continue;
    told.add(together);
    const line = next(start).find(({ from }) => from === way[1])!.line;
    yield { file: start, line, says: `imports itself: ${way.join(" → ")}; expected what both need in a file below` };
  }
}
