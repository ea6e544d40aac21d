/** A wrong change of the code that tests must notice. @module */

/** One wrong change. `deno task mutants` makes it in a copy of the tree and expects at least one of its tests to fail. */
export interface Mutant {
  /** What is wrong with it, in a few words. Unique in its list. */
  readonly name: string;
  /** The file that is changed: its path, or the end of it that no other file has. */
  readonly file: string;
  /** The text that is replaced: it occurs exactly once in the file. */
  readonly find: string;
  /** What stands there instead. The changed file still has to pass the type checker: what that notices is no mutant. */
  readonly replace: string;
  /**
   * Test files that must notice, by their paths or the ends of them; after a `#` the part of the test names that is run, as
   * `deno test --filter` takes it. They must notice without pinned bytes (tests/golden), which prove no statistics:
   * failures of tests whose names hold the word "golden" or "pinned" count for nothing.
   */
  readonly tests: readonly string[];
  /** The change makes its tests wait for ever, which then counts as noticed. Without it a hang is reported. */
  readonly hangs?: boolean;
}

/** What is wrong, what is replaced, what stands there instead, and the part of the test names that is enough. */
export type Change = readonly [name: string, find: string, replace: string, only?: string];

/** Changes of one file, and the test files that must notice, both by the ends of their paths and without `_test.ts`. */
export function changesOf(file: string, tests: readonly string[], changes: readonly Change[]): Mutant[] {
  return changes.map(([name, find, replace, only]) => ({
    name: `${file.replace(".ts", "")}: ${name}`,
    file,
    find,
    replace,
    tests: tests.map((test) => `${test}_test.ts${only ? `#${only}` : ""}`),
  }));
}
