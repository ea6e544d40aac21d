/** What methods draw, and from which keys: theory counts on it that draws are independent. */

import { assert, assertEquals } from "@std/assert/mod.js";
import type { ContractiveCompressor, UnbiasedCompressor } from "../../../../compressors/mod.ts";
import {
  adiana,
  average,
  diana,
  distEf,
  doubleSqueeze,
  ef21,
  errorFeedback,
  fedAvg,
  marina,
  type Method,
  minimise,
  oneBitAdam,
  perLayer,
  quadratic,
  scaffold,
  structuredUpdate,
  vrDiana,
} from "../../../../optimizers/mod.ts";
import { fold, key, normal } from "../../../../random.ts";
import { lockstep } from "../../lockstep.ts";

/** Sends the vector as it is, and says with which keys it was asked to. */
function listener(): UnbiasedCompressor & ContractiveCompressor & { readonly keys: string[] } {
  const keys: string[] = [];
  return {
    keys,
    name: "listener",
    options: {},
    everyDraw: true,
    omega: () => .5,
    alpha: () => .5,
    maxByteLength: (size) => 4 * size,
    encode(vector, key, message) {
      // A rank that does not take part runs along on zeros, whose message nobody gets.
      if (vector.some((v) => v !== 0)) keys.push(key.join());
      message.set(new Uint8Array(vector.slice().buffer));
      return 4 * vector.length;
    },
    decodeAdd(message, _key, scale, into) {
      new Float32Array(message.slice().buffer).forEach((v, j) => into[j]! += scale * v);
    },
  };
}

type Listener = ReturnType<typeof listener>;

const ranks = 3, size = 6;
const problem = quadratic(Array.from({ length: ranks }, (_, rank) => {
  const [...b] = normal(fold(key(8), rank), new Float32Array(size));
  return { a: b.map((_, j) => b.map((_, k) => j === k ? 1 + ((j * (rank + 1)) % size) / size : 0)), b };
}));

/** Each method, and the messages of its compressor that all ranks together encode in a step. */
const methods: [make: (c: Listener) => Method, messages: number][] = [
  [(c) => average(c), ranks],
  [(c) => errorFeedback(c), ranks],
  [(c) => errorFeedback(c, { delay: 2 }), ranks],
  [(c) => diana(c), ranks],
  [(c) => vrDiana(c, { terms: 3 }), ranks],
  [(c) => adiana(c, { convexity: 1 }), 2 * ranks],
  [(c) => ef21(c), ranks],
  [(c) => ef21(c, { plus: true }), 2 * ranks],
  [(c) => scaffold({ localSteps: 1, compressor: c }), 2 * ranks],
  [(c) => scaffold({ localSteps: 1, fraction: .67, compressor: c }), 4],
  [(c) => fedAvg({ localSteps: 1, fraction: .67, method: errorFeedback(c) }), 2],
  [(c) => doubleSqueeze(c), ranks * (ranks + 1)],
  [(c) => distEf(c), ranks * (ranks + 1)],
  [(c) => {
    const layout = { names: ["a", "b"], shapes: [[2], [4]], size }, two = [errorFeedback(c), diana(c)];
    const method = perLayer(layout, ({ index }) => two[index]!);
    return { ...method, init: (_, n) => method.init(layout, n) };
  }, 2 * ranks],
];

for (const [make, messages] of methods) {
  const { name } = make(listener());
  Deno.test(`${name} encodes every message with a key of its own, ${messages} a step`, () => {
    const compressor = listener(), steps = 12;
    minimise(problem, make(compressor), { rounds: steps, step: .01 });
    assertEquals(compressor.keys.length, messages * steps);
    assertEquals(new Set(compressor.keys).size, messages * steps);
  });
}

Deno.test("marina and oneBitAdam, which do not compress in every step, encode with keys of their own", () => {
  for (const make of [(c: Listener) => marina(c), (c: Listener) => oneBitAdam({ warmupSteps: 3, compressor: c })]) {
    const compressor = listener();
    minimise(problem, make(compressor), { rounds: 30, step: .01 });
    assert(compressor.keys.length >= ranks);
    assertEquals(new Set(compressor.keys).size, compressor.keys.length);
  }
});

Deno.test("vrDiana moves its reference point in one of m steps, on all ranks in the same", () => {
  const terms = 4, steps = 4000, whole: number[][] = [[], [], []];
  const run = lockstep(vrDiana(listener(), { terms }), { ranks, size: 2 }), parameters = new Float32Array(2);
  let step = 0;
  const oracles = whole.map((asked) => (_at: Float32Array, into: Float32Array, of?: unknown) => {
    if (of === "all") asked.push(step);
    into.fill(0);
  });
  for (; step < steps; step++) run.step({ parameters }, oracles);
  assertEquals(whole[1], whole[0]);
  assertEquals(whole[2], whole[0]);
  // Binomial, with a mean of 1000 and a standard deviation of 27.4: six of them are a false alarm in 2e-9 cases.
  assert(Math.abs(whole[0]!.length - steps / terms) < 6 * 27.4, `${whole[0]!.length}`);
});

Deno.test("the terms of vrDiana's table are each rank's own draws, and all terms are drawn equally often", () => {
  const terms = 5, steps = 2500, drawn: number[][] = [[], [], []];
  const run = lockstep(vrDiana(listener(), { terms, form: "table" }), { ranks, size: 2 }),
    parameters = new Float32Array(2);
  const oracles = drawn.map((own) => (_at: Float32Array, into: Float32Array, of?: unknown) => {
    own.push(of as number);
    into.fill(0);
  });
  for (let step = 0; step < steps; step++) run.step({ parameters }, oracles);
  // Binomial, with a mean of 500 and a standard deviation of 20, 21 counts: six of them are a false alarm in 4e-8 cases.
  const near = (count: number, what: string) => assert(Math.abs(count - 500) < 120, `${what}: ${count}`);
  drawn.forEach((own, rank) => {
    for (let term = 0; term < terms; term++) near(own.filter((t) => t === term).length, `rank ${rank}, term ${term}`);
    near(own.filter((t, step) => t === drawn[(rank + 1) % ranks]![step]).length, `ranks ${rank} and the next`);
    near(own.filter((t, step) => t === own[(step + 1) % steps]).length, `rank ${rank}, two steps`);
  });
});

Deno.test("structuredUpdate's subspaces are each rank's and each round's own, the same in all steps of a round", () => {
  const large = 40, count = 10, run = lockstep(structuredUpdate({ localSteps: 3, ratio: .25 }), { ranks, size: large });
  const points = run.states.map(() => new Float32Array(large)), sets: string[] = [];
  for (let step = 0; step < 30; step++) {
    const before = points.map((x) => x.slice());
    const after = run.stepEach(points.map((parameters) => ({ learningRate: .1, parameters })));
    after.forEach((x, rank) => points[rank]!.set(x));
    if (step % 3 === 2) continue;
    points.forEach((x, rank) => {
      const moved = [...x.keys()].filter((j) => x[j] !== before[rank]![j]);
      assertEquals(moved.length, count);
      if (step % 3 === 0) sets.push(moved.join());
      else assertEquals(moved.join(), sets.at(rank - ranks), `rank ${rank}, step ${step}`);
    });
  }
  // 30 sets of 8e8: two are equal with a chance of 5e-7.
  assertEquals(new Set(sets).size, 30);
});
