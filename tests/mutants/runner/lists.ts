/** The lists of mutants, one file for each area. @module */

import type { Mutant } from "../mutant.ts";

/** The mutants of each area. */
export type Lists = ReadonlyMap<string, readonly Mutant[]>;

/**
 * Reads the lists: every module in the folder except mutant.ts and tests.
 *
 * @param files the project's files, from its root, by which the paths in the lists are completed
 */
export async function readLists(folder: URL, files: readonly string[]): Promise<Lists> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && name.endsWith(".ts") && !name.endsWith("_test.ts") && name !== "mutant.ts") names.push(name);
  }
  const lists = new Map<string, readonly Mutant[]>();
  for (const name of names.sort()) {
    const { default: mutants } = await import(new URL(name, folder).href);
    if (!Array.isArray(mutants)) {
      throw new TypeError(`Cannot read tests/mutants/${name}: expected a default export Mutant[]`);
    }
    lists.set(name.slice(0, -".ts".length), mutants.map((mutant: Mutant) => completed(mutant, files)));
  }
  return lists;
}

/** The mutant with whole paths. A list may leave out leading folders where one file's path alone ends as it says. */
export function completed(mutant: Mutant, files: readonly string[]): Mutant {
  const whole = (path: string) => {
    if (files.includes(path)) return path;
    const ends = files.filter((file) => file.endsWith(`/${path}`));
    return ends.length === 1 ? ends[0]! : path;
  };
  const tests = mutant.tests.map((test) => {
    const [path, filter] = splitTest(test);
    return filter === undefined ? whole(path) : `${whole(path)}#${filter}`;
  });
  return { ...mutant, file: whole(mutant.file), tests };
}

/** What is wrong with the lists themselves, one sentence each. `root` ends with a slash. */
export async function faultsOf(lists: Lists, root: URL): Promise<string[]> {
  const faults: string[] = [];
  for (const [area, mutants] of lists) {
    const names = new Set<string>();
    for (const mutant of mutants) {
      const fault = names.has(mutant.name) ? "the list has another of this name" : await faultOf(mutant, root);
      if (fault !== undefined) faults.push(`${area}: ${mutant.name}: ${fault}`);
      names.add(mutant.name);
    }
  }
  return faults;
}

async function faultOf({ file, find, replace, tests }: Mutant, root: URL): Promise<string | undefined> {
  const text = await readText(new URL(file, root));
  if (text === undefined) return `there is no file ${file}, or several end with this path`;
  const count = text.split(find).length - 1;
  if (count !== 1) return `the text to find occurs ${count} times in ${file}, expected once: ${JSON.stringify(find)}`;
  if (find === replace) return "what it finds and what it puts there are the same";
  if (tests.length === 0) return "it names no tests";
  for (const test of tests) {
    const [path] = splitTest(test);
    if (!path.endsWith("_test.ts")) return `${path} is not a test file`;
    if (await readText(new URL(path, root)) === undefined) {
      return `there is no test file ${path}, or several end with this path`;
    }
  }
  return undefined;
}

/** The file and the filter of an entry of {@linkcode Mutant.tests}. */
export function splitTest(test: string): [path: string, filter?: string] {
  const at = test.indexOf("#");
  return at < 0 ? [test] : [test.slice(0, at), test.slice(at + 1)];
}

async function readText(url: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(url);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
