/**
 * Who draws from which key. All keys of a run descend from its seed: the key of step t is `fold(seed, t)` (up to 2³⁰ steps), what all ranks
 * share in it is `fold(·, 0)` and what rank r encodes with is `fold(·, r + 1)`; compressors fold those further, with any
 * integer. Whoever draws something else must not meet any of them, whatever the integers are. So other uses of a key do
 * not fold it but take {@linkcode keyFor}, a third kind of counter under the same key beside those of drawing and folding:
 * the generator is a permutation of its counters, so keys of different kinds or numbers under one key differ for certain.
 *
 * @module
 */

import { fold, type Key, key, threefry } from "../../random.ts";

/** The keys of a step. */
export interface Keys {
  /** The key of what that rank encodes in this step. */
  keyOf(rank: number): Key;
  /** A key that all ranks share in this step. */
  readonly shared: Key;
}

/** What a key is for, beside encoding in a step. A number stays what it is: it decides what is drawn. */
export const uses = {
  /** Under the seed: steps from 2³⁰ on, for {@linkcode rowsKey} has an integer above. */
  laterSteps: 0,
  /** Under the shared key of a round's first step: which ranks take part in it. */
  members: 1,
  /** Under the seed: the terms that `minimise` draws, by step and rank. */
  batches: 2,
  /** Under a rank's key: the term that it takes the gradient of. */
  term: 3,
  /** Under a rank's key of a round's first step: the subspace in which it moves. */
  subspace: 4,
  /** Under an epoch's key: which rank gets which element of a stream. */
  turns: 5,
  /** Under an epoch's key: what a rank draws from its buffer of elements, by rank. */
  draws: 6,
  /** Under a constant: what a method's state begins with. */
  start: 7,
  /** Under the seed: the problems, gradients and noise of conformance suites. */
  testing: 8,
} as const;

/** The second word of the counter: 0 draws, 1 folds (random.ts), 2 is for other uses. */
const USE = 2;

const pair = new Uint32Array(2);

/** The key of another use under `parent`: it is neither folded from it nor drawn from it. */
export function keyFor(parent: Key, use: keyof typeof uses): Key {
  threefry(parent[0], parent[1], USE, uses[use], pair, 0);
  return [pair[0]! | 0, pair[1]! | 0];
}

const LATER = 2 ** 30, ROWS = 0x73686172; // no step folds the seed with ROWS, for it is not below LATER

/** The key from which an epoch's rows are shared out. */
export function rowsKey(seed: number, epoch: number): Key {
  return fold(fold(key(seed), ROWS), epoch);
}

/** The keys of a step: what all ranks share in it, and what each rank encodes with. */
export function keysOfStep(seed: number, step: number): Keys {
  const root = key(seed), parent = step < LATER ? root : fold(keyFor(root, "laterSteps"), Math.floor(step / LATER));
  const ofStep = fold(parent, step % LATER);
  return { shared: fold(ofStep, 0), keyOf: (rank) => fold(ofStep, rank + 1) };
}
