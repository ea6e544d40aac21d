/**
 * Which key is used for what. Every key of a run is made from its seed:
 *
 * | key                                  | made by                                             |
 * | ------------------------------------ | --------------------------------------------------- |
 * | step t, below 2³⁰                    | `fold(seed, t)`                                     |
 * | what all ranks share in a step       | `fold(step, 0)`                                     |
 * | what rank r encodes with in a step   | `fold(step, r + 1)`; compressors fold it further    |
 * | the rows of an epoch                 | `rowsKey(seed, epoch)`                              |
 * | anything else                        | {@linkcode keyFor} of one of these                  |
 *
 * Draws are independent only if no two come from one key, whatever integers keys are folded with. The generator is a
 * permutation of its counters, and one of a counter's words says what it is for: drawing, folding, or the uses of
 * `keyFor`. So keys of different kinds or numbers under one key are never equal.
 *
 * @module
 */

import { fold, type Key, key, threefry } from "../../random.ts";

/** The keys of a step. */
export interface Keys {
  /** The key that a rank encodes with in this step. */
  keyOf(rank: number): Key;
  /** The key that all ranks share in this step. */
  readonly shared: Key;
}

/** What keys are used for beside encoding in a step. The numbers decide what is drawn: they must not change. */
export const uses = {
  /** Under the seed: steps from 2³⁰ on, for {@linkcode rowsKey} folds the seed with an integer above that. */
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

/**
 * The word of a counter that says what it is for: 0 for drawing and 1 for folding (see random.ts), 2 for other uses.
 */
const USE = 2;

const pair = new Uint32Array(2);

/** The key for a use under `parent`. It equals no key that is folded from the parent, and no draw of it. */
export function keyFor(parent: Key, use: keyof typeof uses): Key {
  threefry(parent[0], parent[1], USE, uses[use], pair, 0);
  return [pair[0]! | 0, pair[1]! | 0];
}

/** Steps from this one on do not fold the seed itself. */
const LATER = 2 ** 30;

/** What the seed is folded with for rows. It is not below LATER, so no step folds the seed with it. */
const ROWS = 0x73686172;

/** The key that decides which rows of an epoch a rank gets. */
export function rowsKey(seed: number, epoch: number): Key {
  return fold(fold(key(seed), ROWS), epoch);
}

/** The keys of a step. @param step from 0 to 2⁵³ − 1 */
export function keysOfStep(seed: number, step: number): Keys {
  const root = key(seed), parent = step < LATER ? root : fold(keyFor(root, "laterSteps"), Math.floor(step / LATER));
  const ofStep = fold(parent, step % LATER);
  return { shared: fold(ofStep, 0), keyOf: (rank) => fold(ofStep, rank + 1) };
}
