/** Under which keys methods encode: what is drawn twice under one key is no independent noise, and theory does not hold. */

import { assert, assertEquals } from "@std/assert/mod.js";
import { type Compressor, contractive, identity, randK, type UnbiasedCompressor } from "../../../../compressors/mod.ts";
import type { ContractiveCompressor } from "../../../../compressors/mod.ts";
import {
  adiana,
  average,
  diana,
  distEf,
  doubleSqueeze,
  ef21,
  errorFeedback,
  fedAvg,
  localSgd,
  marina,
  type Method,
  oneBitAdam,
  perLayer,
  qsparseLocal,
  scaffold,
  structuredUpdate,
  vrDiana,
  warmup,
} from "../../../../optimizers/mod.ts";
import type { GradientOracle } from "../../../../transport/mod.ts";
import { type Lockstep, lockstep } from "../../lockstep.ts";

const size = 24, ranks = 3, layout = { names: ["a", "b"], shapes: [[4, 4], [8]], size };

/** The compressor, which writes down the keys that it encodes with. */
function observed<C extends Compressor>(compressor: C, keys: string[]): C {
  return {
    ...compressor,
    encode(vector, key, message) {
      keys.push(key.join());
      return compressor.encode(vector, key, message);
    },
  };
}

type Make = (unbiased: UnbiasedCompressor, biased: ContractiveCompressor) => Method;
/** Each method, and how many messages all ranks together encode in a step of it (of several steps: in all). */
const table: [make: Make, messages: number, steps?: number][] = [
  [(u) => average(u), ranks],
  [(_, b) => errorFeedback(b), ranks],
  [(_, b) => errorFeedback(b, { delay: 1 }), ranks],
  [(_, b) => doubleSqueeze(b), ranks * (ranks + 1)],
  [(_, b) => distEf(b), ranks * (ranks + 1)],
  [(_, b) => oneBitAdam({ warmupSteps: 1, compressor: b }), ranks * (ranks + 1) * 3, 4],
  [(_, b) => ef21(b), ranks],
  [(_, b) => ef21(b, { plus: true }), 2 * ranks],
  [(u) => diana(u), ranks],
  [(u) => vrDiana(u, { terms: 2 }), ranks],
  [(u) => adiana(u, { convexity: 1 }), 2 * ranks],
  [(u) => marina(u, { probability: 1e-9 }), 3 * ranks, 4],
  [(u) => localSgd({ every: 2, method: average(u) }), 2 * ranks, 4],
  [(u) => fedAvg({ localSteps: 2, fraction: 1, method: average(u) }), 2 * ranks, 4],
  [(_, b) => qsparseLocal(b, { every: 2 }), 2 * ranks, 4],
  [(u) => scaffold({ localSteps: 2, compressor: u }), 4 * ranks, 4],
  [(u, b) => warmup(errorFeedback(b), { steps: 2, from: average(u) }), 4 * ranks, 4],
  [(u, b) => {
    const methods = [diana(u), errorFeedback(b)];
    return perLayer(layout, ({ index }) => methods[index]!);
  }, 2 * ranks],
];

const start = (method: Method): Lockstep<ReturnType<Method["init"]>> => lockstep(method, { ranks, layout });
const parameters = new Float32Array(size).fill(1), oracle: GradientOracle = (at, into) => into.set(at);
const step = (run: ReturnType<typeof start>): Float32Array[] =>
  run.stepEach(Array.from({ length: ranks }, () => ({ parameters, learningRate: .1 })), Array(ranks).fill(oracle));

for (const [make, messages, steps = 1] of table) {
  const { name, options } = make(randK({ k: 3 }), contractive(randK({ ratio: .3 })));
  Deno.test(`${name}: every message of every rank and step has a key of its own (${Object.keys(options)})`, () => {
    const keys: string[] = [];
    const run = start(make(observed(randK({ k: 3 }), keys), observed(contractive(randK({ ratio: .3 })), keys)));
    for (let t = 0; t < steps; t++) step(run);
    assertEquals(keys.length, messages);
    // Of 20 steps in all.
    for (let t = steps; t < 20; t++) step(run);
    assertEquals(new Set(keys).size, keys.length);
  });
}

Deno.test("average of messages that are summed: one key for all ranks, another in each step, and no rank's own", () => {
  const shared: string[] = [], own: string[] = [];
  const runs = [
    start(average(observed(randK({ k: 3, shared: true }), shared))),
    start(average(observed(randK({ k: 3 }), own))),
  ];
  for (let t = 0; t < 5; t++) runs.forEach(step);
  assertEquals(shared, Array.from({ length: 5 * ranks }, (_, i) => shared[i - i % ranks]!));
  assertEquals(new Set([...shared, ...own]).size, 5 + 5 * ranks);
});

Deno.test("structuredUpdate: every rank moves in a subspace of its own, and in another one in each round", () => {
  for (const options of [{ ratio: .25 }, { rank: 1 }]) {
    const run = start(structuredUpdate({ localSteps: 2, ...options })), seen = new Set<string>();
    let x: Float32Array = parameters;
    for (let round = 0; round < 4; round++) {
      run.gradients.forEach((gradient) => gradient.fill(1).set([1, -2, 3, -4]));
      // The first step of a round: where each has moved from x, no two alike. Two masks of 6 of 24 are once in 134 596.
      for (const result of step(run)) seen.add(result.map((v, j) => Math.round(1e3 * (v - x[j]!))).join());
      x = step(run)[0]!;
    }
    assertEquals(seen.size, 4 * ranks);
  }
});

Deno.test("identity has no noise, whatever the key", () => {
  const keys: string[] = [], run = start(average(observed(identity(), keys)));
  const mean = run.gradients[0]!.map((_, j) => run.gradients.reduce((sum, g) => sum + g[j]! / ranks, 0));
  step(run)[0]!.forEach((v, j) => assert(Math.abs(v - mean[j]!) < 1e-6));
});
