/** Learning rates that vanish, and that change by many orders of magnitude. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { identity, randK, scaledSign, topK } from "../../../../compressors/mod.ts";
import {
  adiana,
  type Context,
  deepGradientCompression,
  distEf,
  doubleSqueeze,
  errorFeedback,
  type Method,
  oneBitAdam,
  oneBitSgd,
  powerSgd,
  type State,
} from "../../../../optimizers/mod.ts";
import { isStill, rateRatio } from "../../../../optimizers/methods/parts/rate.ts";
import { lockstep } from "../../lockstep.ts";

/** Methods that keep what they have not sent, with the part of the state that holds it. */
const remember: [method: Method, kept: string][] = [
  [errorFeedback(topK({ k: 1 })), "error"],
  [errorFeedback(topK({ k: 1 }), { delay: 2 }), "error"],
  [doubleSqueeze(topK({ ratio: .5 })), "error"],
  [oneBitSgd({ block: 2 }), "error"],
  [powerSgd({ rank: 1, minimumRate: .1 }), "error"],
  [deepGradientCompression({ ratio: .3 }), "velocity"],
];
const layout = { names: ["w"], shapes: [[3, 2]], size: 6 };
const start = (method: Method) => lockstep(method, { ranks: 2, layout });

Deno.test("γ₋/γ is finite and exact down to the least rate that moves anything, and 1 below", () => {
  const least = 2 ** -150 * (1 + 2 ** -52), most = (2 - 2 ** -23) * 2 ** 127;
  assert(isStill(0) && isStill(-0) && isStill(2 ** -150) && isStill(1e-300) && !isStill(least) && !isStill(undefined));
  assertEquals([0, 2 ** -150, least].map((rate) => Math.fround(rate)), [0, 0, 2 ** -149]);
  assertEquals(rateRatio(Float64Array.of(most), least), most / least);
  assert(Number.isFinite(rateRatio(Float64Array.of(most), least)));
  assertEquals(rateRatio(Float64Array.of(.1), .3), .1 / .3);
  for (const rate of [0, 1e-300, 2 ** -150]) assertEquals(rateRatio(Float64Array.of(.1), rate), 1);
  assertEquals(rateRatio(new Float64Array(1), .3), 1);
  for (const rate of [NaN, Infinity, 1e39, -1e39]) {
    assertThrows(
      () => rateRatio(Float64Array.of(.1), rate),
      RangeError,
      `the learning rate is ${rate}, expected one of`,
    );
  }
});

for (const [method, kept] of remember) {
  for (const rate of [0, 1e-46, 1e-300]) {
    Deno.test(`${method.name}: a step with a rate of ${rate} takes nothing from what is kept (${Deno.inspect(method.options, { depth: 0, compact: true })})`, () => {
      const run = start(method);
      for (let t = 0; t < 4; t++) run.step({ learningRate: .1 });
      const before = structuredClone(run.states);
      run.step({ learningRate: rate });
      const compared = ({ local, shared: { q: _, ...shared } }: State) => ({ local, shared });
      assertEquals(run.states.map(compared), before.map(compared));
      assert(before.some(({ local }) => local[kept]!.some((v) => v !== 0)));
      for (let t = 0; t < 4; t++) assert(run.step({ learningRate: .1 }).every(Number.isFinite));
    });
  }
}

Deno.test("rates that fall to nothing are taken as 0 by the methods that own their update", () => {
  const own: Method[] = [
    adiana(randK({ k: 2 }), { convexity: 1 }),
    adiana(randK({ k: 2 }), { convexity: 1, smoothness: 2, parameters: "B" }),
    oneBitAdam({ warmupSteps: 2, compressor: identity() }),
  ];
  for (const method of own) {
    const run = start(method), parameters = Float32Array.of(1, -2, 3, -4, 5, -6);
    const oracle = (_at: Float32Array, into: Float32Array) => void into.fill(1);
    const step = (learningRate: number): Partial<Context> => ({ learningRate, parameters });
    for (let t = 0; t < 3; t++) run.step(step(.01), [oracle, oracle]);
    for (const rate of [0, 1e-46, 5e-324]) {
      const result = run.step(step(rate), [oracle, oracle]);
      if (method.yields === "parameters") assertEquals(result, parameters);
      else result.forEach((v) => assertEquals(Math.abs(v), 0));
    }
    assert(run.step(step(.01), [oracle, oracle]).every(Number.isFinite));
    assertThrows(() => run.step(step(1e39), [oracle, oracle]), RangeError, "the learning rate is 1e+39");
  }
});

Deno.test("an error is worth the same displacement after the rate has fallen by 10²⁰ and risen again", () => {
  for (
    const method of [
      errorFeedback(topK({ k: 1 })),
      doubleSqueeze(scaledSign()),
      distEf(topK({ k: 1 }), { momentum: 0 }),
    ]
  ) {
    const run = lockstep<State>(method, { ranks: 1, size: 4 });
    let owed = new Float64Array(4);
    for (const learningRate of [.1, .1, 1e-21, 1e-21, .1, 1e-11, .1]) {
      const given = run.gradients[0]!.slice(), moved = run.step({ learningRate });
      owed = owed.map((v, j) => v + learningRate * (given[j]! - moved[j]!));
      const { error, serverError } = run.states[0]!.local;
      owed.forEach((v, j) => {
        const kept = learningRate * (error![j]! + (serverError?.[j] ?? 0));
        assertAlmostEquals(kept, v, 1e-6 * Math.max(1e-12, Math.abs(v)) + 2e-7);
      });
    }
  }
});
