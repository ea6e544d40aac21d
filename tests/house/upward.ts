/** Imports go down only: a file imports its own room and the rooms that layers.ts lists for it. @module */

import { type Rooms, rooms } from "./layers.ts";
import { sourcesOf } from "./source.ts";
import type { Finding, Rule, Tree } from "./tree.ts";

const words = (list: string): string[] => list.split(" ").filter((word) => word !== "");

/** The rule for a house of these rooms. */
export const upward = (house: Rooms = rooms): Rule =>
  function* (tree: Tree): Generator<Finding> {
    const allowed: Record<string, readonly string[]> = {}, paths: [path: string, room: string][] = [];
    for (const [name, room] of Object.entries(house)) {
      const earlier = Object.keys(allowed);
      paths.push(...words(room.paths).map((path) => [path, name] as [string, string]));
      for (const other of allowed[name] = room.imports === "all" ? earlier : words(room.imports)) {
        if (earlier.includes(other)) continue;
        const says = `${name} may import ${other}, expected a room that stands before ${name}`;
        yield { file: "tests/house/layers.ts", line: 0, says };
      }
    }
    const matches = (path: string, file: string) => path.endsWith("/") ? file.startsWith(path) : file === path;
    for (const [path, name] of paths) {
      if ([...tree.keys()].some((file) => matches(path, file))) continue;
      yield { file: "tests/house/layers.ts", line: 0, says: `${name} has no ${path}, expected a path of the project` };
    }
    paths.sort(([a], [b]) => b.length - a.length);
    const roomOf = (file: string) => paths.find(([path]) => matches(path, file))?.[1];

    const used = new Set<string>();
    for (const [file, { imports }] of sourcesOf(tree)) {
      const room = roomOf(file);
      if (room === undefined) {
        yield { file, line: 0, says: "is in no room, expected a room for it in tests/house/layers.ts" };
        continue;
      }
      for (const { from, line } of imports) {
        // Packages are for deno.json and tests/imports_test.ts.
        const other = tree.has(from) ? roomOf(from) : undefined;
        used.add(`${room} ${other}`);
        if (other === undefined || other === room || allowed[room]!.includes(other)) continue;
        const says = `${room} imports ${from} of ${other}, expected a room among ${allowed[room]!.join(", ")}`;
        yield { file, line, says };
      }
    }
    for (const [room, { imports }] of Object.entries(house)) {
      for (const other of imports === "all" ? [] : words(imports)) {
        if (used.has(`${room} ${other}`)) continue;
        yield {
          file: "tests/house/layers.ts",
          line: 0,
          says: `${room} imports nothing of ${other}, expected no mention`,
        };
      }
    }
  };
