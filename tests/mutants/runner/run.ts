/** Makes each wrong change in a copy of the project and says whether the tests noticed. @module */

import type { Mutant } from "../mutant.ts";
import { runTests, type Trial, typeErrors } from "./deno.ts";
import { copyTree, type Tree } from "./tree.ts";

/** What became of a mutant. */
export interface Verdict {
  readonly area: string;
  readonly mutant: Mutant;
  /** `broken`: it is no mutant, or its tests fail without it. */
  readonly end: "killed" | "hung" | "survived" | "broken";
  /** The tests that noticed; what is broken; that pinned bytes alone noticed. */
  readonly why: string;
  readonly seconds: number;
}

/** What {@linkcode runMutants} is given. */
export interface RunMutantsOptions {
  /** The project's root. */
  readonly root: string;
  /** The files of the project that tests need, from its root. */
  readonly files: readonly string[];
  /** How many copies of the project work at the same time. */
  readonly jobs: number;
  /** Permissions and sanitizers, as `deno test` takes them. */
  readonly flags: readonly string[];
  /** Milliseconds that tests may take beyond ten times what they take without a mutant. Default 60 000. */
  readonly patience?: number;
  /** Told while the type checker looks at the mutants, which comes first: rounds done, and in all. */
  readonly onChecked?: (done: number, total: number) => void;
  /** Told of each verdict as soon as it is known. */
  readonly onVerdict?: (verdict: Verdict) => void;
}

/** Judges every mutant: verdicts in the order of the mutants. */
export async function runMutants(
  mutants: readonly { readonly area: string; readonly mutant: Mutant }[],
  { root, files, jobs, flags, patience = 60_000, onChecked, onVerdict }: RunMutantsOptions,
): Promise<Verdict[]> {
  await using stack = new AsyncDisposableStack();
  const trees: Tree[] = [];
  for (let job = 0; job < Math.max(1, Math.min(jobs, mutants.length)); job++) {
    trees.push(stack.use(await copyTree(root, files)));
  }
  const refused = await refusedTypes(trees, mutants.map(({ mutant }) => mutant), onChecked);

  // Each entry of `tests` is run once without a mutant, by whoever needs it first.
  const unchanged = new Map<string, Promise<Trial>>();
  const withoutMutant = (tree: Tree, test: string) => {
    if (!unchanged.has(test)) unchanged.set(test, runTests(tree.path, test, 10 * patience, flags));
    return unchanged.get(test)!;
  };

  async function judge(tree: Tree, mutant: Mutant): Promise<Pick<Verdict, "end" | "why">> {
    const error = refused.get(mutant);
    if (error !== undefined) return { end: "broken", why: `the type checker refuses it: ${error}` };
    const bytes: string[] = [];
    for (const test of mutant.tests) {
      const before = await withoutMutant(tree, test);
      const fault = faultOf(before);
      if (fault !== undefined) return { end: "broken", why: `without it, ${test} ${fault}` };
      const deadline = patience + 10_000 * before.seconds;
      const trial = await tree.changed([mutant], () => runTests(tree.path, test, deadline, flags));
      if (trial.failed.length > 0) return { end: "killed", why: `${test}: ${trial.failed.join("; ")}` };
      if (trial.hung) {
        return { end: mutant.hangs ? "killed" : "hung", why: `${test} had not ended after ${deadline} ms` };
      }
      if (trial.broken !== undefined) return { end: "broken", why: `${test} does not run: ${trial.broken}` };
      bytes.push(...trial.pinned);
    }
    return { end: "survived", why: bytes.length > 0 ? `noticed by pinned bytes alone: ${bytes.join("; ")}` : "" };
  }

  const verdicts: Verdict[] = [];
  await eachOn(trees, mutants, async (tree, { area, mutant }, index) => {
    const start = performance.now(), { end, why } = await judge(tree, mutant);
    verdicts[index] = { area, mutant, end, why, seconds: (performance.now() - start) / 1000 };
    onVerdict?.(verdicts[index]);
  });
  return verdicts;
}

function faultOf({ passed, failed, pinned, broken, hung }: Trial): string | undefined {
  if (broken !== undefined) return `does not run: ${broken}`;
  if (hung) return "does not end";
  if (failed.length + pinned.length > 0) return `fails: ${[...failed, ...pinned].join("; ")}`;
  return passed === 0 ? "selects no test that proves more than pinned bytes" : undefined;
}

/**
 * The mutants that the type checker refuses, with what it says. Many are checked together, at most one of each file; only
 * if that is refused they are checked one by one, those first whose files the errors name.
 */
async function refusedTypes(
  trees: readonly Tree[],
  mutants: readonly Mutant[],
  onChecked?: (done: number, total: number) => void,
): Promise<Map<Mutant, string>> {
  const rounds: Mutant[][] = [];
  for (const mutant of mutants) {
    const round = rounds.find((round) => round.every(({ file }) => file !== mutant.file));
    if (round) round.push(mutant);
    else rounds.push([mutant]);
  }
  const refused: [Mutant, string][] = [];
  let done = 0;
  await eachOn(trees, rounds, async (tree, round) => {
    const check = (some: readonly Mutant[]) =>
      tree.changed(some, () => typeErrors(tree.path, some.map(({ file }) => file)));
    refused.push(...await refusedOf(round, check));
    onChecked?.(++done, rounds.length);
  });
  return new Map(refused);
}

async function refusedOf(
  round: readonly Mutant[],
  check: (some: readonly Mutant[]) => Promise<string | undefined>,
): Promise<Map<Mutant, string>> {
  const refused = new Map<Mutant, string>();
  const checkEach = async (some: readonly Mutant[]) => {
    for (const mutant of some) {
      const error = await check([mutant]);
      if (error !== undefined) refused.set(mutant, error.split("\n").slice(0, 8).join("\n"));
    }
  };
  let rest = round;
  for (let error = await check(rest); error !== undefined; error = await check(rest)) {
    const before = refused.size, text = error;
    await checkEach(rest.filter(({ file }) => text.includes(`/${file}:`)));
    // An error that names none of them may stand in a file that imports one.
    if (refused.size === before) await checkEach(rest);
    if (refused.size === before) break; // They only do not fit together.
    rest = rest.filter((mutant) => !refused.has(mutant));
    if (rest.length === 0) break;
  }
  return refused;
}

/** Does the work on all items, in order, each on the next tree that is free. */
async function eachOn<T>(
  trees: readonly Tree[],
  items: readonly T[],
  work: (tree: Tree, item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(trees.map(async (tree) => {
    while (next < items.length) {
      const index = next++;
      await work(tree, items[index]!, index);
    }
  }));
}
