/** The step size of every method against the theorem that its documentation cites, written out once more. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { contractive, identity, randK, scaledSign } from "../../../../compressors/mod.ts";
import {
  adiana,
  average,
  type Constants,
  diana,
  distEf,
  doubleSqueeze,
  ef21,
  errorFeedback,
  fedAvg,
  localSgd,
  majorityVote,
  marina,
  type Method,
  minimise,
  perLayer,
  powerSgd,
  qsparseLocal,
  quadratic,
  readLibsvm,
  ridge,
  scaffold,
  schedule,
  skipSmall,
  structuredUpdate,
  vrDiana,
  warmup,
} from "../../../../optimizers/mod.ts";
import { stripeAlpha } from "../../../../optimizers/methods/error_feedback/bidirectional.ts";
import { rand, top } from "../../lockstep.ts";
import { separable } from "../../problems.ts";

const L = 3, Lmax = 7, Lbar = 5, term = 40, mu = .002, n = 5, d = 60;
const constants: Constants = {
  size: d,
  ranks: n,
  smoothness: L,
  largestSmoothness: Lmax,
  meanSquareSmoothness: Lbar,
  convexity: mu,
  terms: 8,
  largestTermSmoothness: term,
};
/** rand(k) has ω = 60/k − 1, top(k) has α = 1 − k/60. */
const omega = 3, C = rand(15), alpha = 3 / 4, T = top(15), root = Math.sqrt(alpha);

function step(method: Method, change: Partial<Constants> = {}): number {
  return method.stepSize!({ ...constants, ...change });
}

function equals(method: Method, expected: number, change: Partial<Constants> = {}): void {
  assertAlmostEquals(
    step(method, change) / expected,
    1,
    1e-12,
    `${method.name}: ${step(method, change)}, ${expected}`,
  );
}

Deno.test("average: 1/(L + 2 ω Lmax / n), 1/(L (1 + ω)) for a common key, 1/L or nothing for a contractive compressor", () => {
  equals(average(), 1 / L);
  equals(average(C), 1 / (L + 2 * omega * Lmax / n));
  equals(average(randK({ k: 15, shared: true })), 1 / (L * (1 + omega)));
  equals(average(T), 1 / L, { ranks: 1 });
  assertEquals(step(average(T)), NaN); // several ranks may go to a wrong point, or nowhere
  const two = [1, 3].map((a) => ({ a: [[a, 0], [0, a]], b: [a, 1] }));
  assertThrows(
    () => minimise(quadratic(two), average(top(1)), { rounds: 9 }),
    RangeError,
    "no step size for this problem",
  );
});

Deno.test("diana: 1/(L + 6 ω Lmax / n), less for larger shift steps, nothing from 2/(1 + ω) on", () => {
  equals(diana(C), 1 / (L + 6 * omega * Lmax / n));
  equals(diana(C, { shiftStep: .1 }), 1 / (L + 6 * omega * Lmax / n));
  // c = α (1 + ω) = 1.6: a = α (1 − .8), b = α (1 + 1.6 · .6 / .4) = 3.4 α, so 2 + 4 · 3.4 / .2 = 70 in place of 6.
  equals(diana(C, { shiftStep: .4 }), 1 / (L + 70 * omega * Lmax / n));
  for (const shiftStep of [.5, 1]) assertEquals(step(diana(C, { shiftStep })), NaN);
  equals(diana(identity()), 1 / L);
});

Deno.test("vrDiana: 1/(10 𝓛 (2 + 4 (1 + ω) / n)) with 𝓛 that of the largest term", () => {
  const expected = 1 / (10 * term * (2 + 4 * (1 + omega) / n));
  equals(vrDiana(C, { terms: 8 }), expected);
  equals(vrDiana(C, { terms: 8, form: "table" }), expected);
  // Where the field is not there: the most that a term of so many convex ones can have.
  const { largestTermSmoothness: _, terms: __, ...bare } = constants;
  const method = vrDiana(C, { terms: 8 });
  assertAlmostEquals(method.stepSize!(bare) * 10 * 8 * Lmax * (2 + 4 * (1 + omega) / n), 1, 1e-12);
  assertAlmostEquals(method.stepSize!({ ...bare, terms: 3 }) * 10 * 3 * Lmax * (2 + 4 * (1 + omega) / n), 1, 1e-12);
  equals(vrDiana(C, { terms: 8, shiftStep: .4 }), 1 / (L + (6 + 12 * omega + 24 * omega * 17) * term / n));
  assertEquals(step(vrDiana(C, { terms: 8, shiftStep: .5 })), NaN);
  assertThrows(
    () => step(vrDiana(C, { terms: 4, form: "table" })),
    RangeError,
    "table of 4 terms: the problem has 8 a rank",
  );
  const rows = readLibsvm("1 1:1\n2 2:1\n3 1:1 2:1\n4 1:2\n");
  assertThrows(
    () => minimise(ridge(rows), vrDiana(identity(), { terms: 3, form: "table" }), { rounds: 1, step: .1 }),
    RangeError,
    "the problem has 4 a rank",
  );
});

Deno.test("adiana: min(1/(2L), n / (64 ω (2 p (ω + 1) + 1)² L)), set B 1/(120 L (3 ω/√n + 3)), with L = Lmax", () => {
  const p = Math.min(1, Math.max(1, Math.sqrt(n / (32 * omega)) - 1) / (2 * (1 + omega)));
  equals(adiana(C, { convexity: mu }), n / (64 * omega * (2 * p * (omega + 1) + 1) ** 2 * Lmax));
  equals(adiana(identity(), { convexity: mu }), 1 / (2 * Lmax));
  const B = { convexity: mu, smoothness: Lmax, parameters: "B" } as const;
  equals(adiana(C, B), 1 / (120 * Lmax * (3 * omega / Math.sqrt(n) + 3)));
  assertEquals(step(adiana(C, { convexity: 2 * mu })), NaN);
  assertEquals(step(adiana(C, { ...B, smoothness: Lmax / 2 })), NaN);
});

Deno.test("ef21: min(1/(L + L̄ √(2 β/θ)), θ/(2 μ)), and 1/(L + L̄ √(β/θ)) for μ = 0", () => {
  const theta = 1 - root, beta = alpha / (1 - root);
  for (const plus of [false, true]) {
    equals(ef21(T, { plus }), 1 / (L + Lbar * Math.sqrt(2 * beta / theta)));
    equals(ef21(T, { plus }), 1 / (L + Lbar * Math.sqrt(beta / theta)), { convexity: 0 });
    equals(ef21(T, { plus }), theta / 16, { convexity: 8 });
  }
  equals(ef21(identity()), 1 / L);
});

Deno.test("marina: min(1/(L̄ (1 + √(2 (1 − p) ω / (p n)))), p/(2 μ)), without the 2 for μ = 0", () => {
  const p = 1 / (1 + omega);
  equals(marina(C), 1 / (Lbar * (1 + Math.sqrt(2 * (1 - p) * omega / (p * n)))));
  equals(marina(C), 1 / (Lbar * (1 + omega / Math.sqrt(n))), { convexity: 0 });
  equals(marina(C), p / 8, { convexity: 4 });
  equals(marina(C, { probability: .1 }), 1 / (Lbar * (1 + Math.sqrt(2 * .9 * omega / (.1 * n)))));
  const noise = (omega * Lbar ** 2 + (1 + omega) * term ** 2) * (1 - p) / (p * n);
  equals(marina(C, { dense: "all" }), 1 / (L + Math.sqrt(2 * noise)));
  equals(marina(C, { dense: "all" }), 1 / (L + Math.sqrt(noise)), { convexity: 0 });
});

Deno.test("errorFeedback: δ / (20 Lmax (1 + τ))", () => {
  equals(errorFeedback(T), (1 - alpha) / (20 * Lmax));
  equals(errorFeedback(T, { delay: 3 }), (1 - alpha) / (80 * Lmax));
});

Deno.test("doubleSqueeze: δ² / (20 Lmax); distEf: (1 − μ) / (Lmax (20/δ² + 2 μ / (1 − μ))); δ of the worst stripe", () => {
  const delta = 1 / 4; // top(3) on stripes of 12
  equals(doubleSqueeze(top(3)), delta ** 2 / (20 * Lmax));
  equals(distEf(top(3), { momentum: .9 }), .1 / (Lmax * (20 / delta ** 2 + 18)));
  equals(distEf(top(3), { momentum: 0 }), delta ** 2 / (20 * Lmax));
  // Of 5 numbers ⌊5/2⌋ are kept, of 4 numbers 2: the longer stripe is the worse. Of 13 and 12, blocks of 12 leave one alone.
  const half = contractiveOf((size) => 1 - Math.floor(size / 2) / size),
    blocks = contractiveOf((size) => size % 12 === 0 ? .9 : .1);
  assertAlmostEquals(stripeAlpha(half, 9, 2), .6, 1e-12);
  assertAlmostEquals(stripeAlpha(blocks, 25, 2), .9, 1e-12);
  equals(doubleSqueeze(blocks), .1 ** 2 / (20 * Lmax), { size: 25, ranks: 2 });
  equals(distEf(blocks, { momentum: 0 }), .1 ** 2 / (20 * Lmax), { size: 25, ranks: 2 });
  assertAlmostEquals(stripeAlpha(scaledSign(), 3, 5), 0, 1e-12); // stripes of one number and of none
});

function contractiveOf(alpha: (size: number) => number): ReturnType<typeof top> {
  return { ...top(1), alpha };
}

Deno.test("localSgd, fedAvg and qsparseLocal: the least of their own bound and of their method's, for a step of H steps", () => {
  const drift = (H: number) => 1 / (Lmax * Math.max(4, 8 * (H - 1)));
  equals(localSgd({ every: 1 }), drift(1));
  equals(localSgd({ every: 10 }), drift(10));
  // Fault 26: n = 2, d = 60, κ = 5, rand(1) has ω = 59. A step each, so it is average(randK) and takes its step.
  const two = { ranks: 2, smoothness: 5, largestSmoothness: 5, convexity: 1 };
  equals(localSgd({ every: 1, method: average(rand(1)) }), 1 / (5 + 59 * 5), two);
  equals(localSgd({ every: 1, method: average(rand(1)) }), step(average(rand(1))));
  equals(localSgd({ every: 4, method: diana(rand(1)) }), step(diana(rand(1))) / 8);
  equals(qsparseLocal(T, { every: 1 }), step(errorFeedback(T)));
  equals(qsparseLocal(T, { every: 3 }), step(errorFeedback(T)) / 6);
  // Three of five ranks, and η = 2.
  const sampled = 1 / (1 / step(average(C), { ranks: 3 }) + 6 * (2 / 4) * Lmax / 3);
  equals(fedAvg({ localSteps: 4, fraction: .6, globalRate: 2, method: average(C) }), sampled / 16);
  equals(fedAvg({ localSteps: 1, fraction: .6, globalRate: 2, method: average(C) }), sampled / 2);
  equals(fedAvg({ localSteps: 10 }), drift(10));
  assertEquals(step(localSgd({ every: 4, method: average(T) })), NaN);
  assertEquals(step(fedAvg({ localSteps: 1, fraction: .2, method: average(T) })), NaN); // one rank, but not always the same
  for (const method of [powerSgd(), majorityVote()]) assert(localSgd({ every: 2, method }).stepSize === undefined);
  equals(structuredUpdate({ localSteps: 4, ratio: .5 }), drift(4));
});

Deno.test("scaffold: min(1/(81 Lmax K η), |S|/(15 μ n K η)); noise beyond the ranks' number counts as a larger η", () => {
  const K = 4;
  equals(scaffold({ localSteps: K }), 1 / (81 * Lmax * K));
  equals(scaffold({ localSteps: K, globalRate: 3 }), 1 / (81 * Lmax * K * 3));
  equals(scaffold({ localSteps: K, globalRate: .5 }), 1 / (81 * Lmax * K));
  equals(scaffold({ localSteps: K, fraction: .4 }), 1 / (81 * Lmax * K));
  equals(scaffold({ localSteps: K, fraction: .4, globalRate: 3 }), 2 / (15 * 40 * 5 * K * 3), { convexity: 40 });
  equals(scaffold({ localSteps: K, fraction: .2, compressor: C }), 1 / (81 * Lmax * K * (omega + 1)));
  equals(scaffold({ localSteps: K, fraction: .4, compressor: rand(1) }), 1 / (81 * Lmax * K * (59 + 3 / 4) / 2));
  equals(scaffold({ localSteps: K, compressor: C }), 1 / (15 * Lmax * (1 + omega) * K), {
    convexity: 7,
    smoothness: 7,
    largestSmoothness: 1 / 9,
  });
});

Deno.test("combinators take the least of what their methods allow", () => {
  const fine = average(rand(30)),
    coarse = average(rand(15)),
    layout = { names: ["a", "b"], shapes: [[20], [40]], size: 60 };
  equals(warmup(fine, { steps: 3, from: coarse }), step(coarse));
  equals(warmup(coarse, { steps: 3 }), step(coarse));
  equals(schedule({ 0: coarse, 5: fine }), step(coarse));
  equals(schedule({ 0: fine, 5: coarse }), step(coarse));
  // rand(15) has ω = 1/3 on 20 numbers and 5/3 on 40.
  equals(perLayer(layout, ({ index }) => [coarse, average(rand(15))][index]!), 1 / (L + 2 * (5 / 3) * Lmax / n));
  equals(skipSmall(layout, coarse, { below: 30 }), 1 / (L + 2 * (5 / 3) * Lmax / n));
  equals(skipSmall(layout, coarse, { below: 10 }), step(coarse));
  for (
    const without of [
      warmup(powerSgd(), { steps: 1 }),
      warmup(average(), { steps: 1, from: powerSgd() }),
      schedule({ 0: powerSgd() }),
      perLayer(layout, ({ index }) => index === 0 ? powerSgd() : fine),
    ]
  ) assert(without.stepSize === undefined, without.name);
});

Deno.test("fault 26: localSgd over a coarse compressor converges at its step, where its own bound alone diverges", () => {
  const a = [1, 2].map((shift) => Array.from({ length: d }, (_, j) => 1 + 4 * ((j * shift) % d) / (d - 1)));
  const problem = separable(a, a.map((row) => row.map((v) => v - 3))),
    method = localSgd({ every: 1, method: average(rand(1)) });
  const start = new Float32Array(d).fill(5), options = { rounds: 3000, every: 3000, start };
  assert(minimise(problem, method, options).error < 1);
  assert(minimise(problem, method, { ...options, step: .05 }).error > 1e6);
});

Deno.test("fault 27: ridge of 1 000 rows, one of them 30 times the others, converges at vrDiana's step", () => {
  const lines = Array.from({ length: 1000 }, (_, i) => {
    const size = i === 77 ? 30 : 1;
    return `${Math.sin(i)} ${[1, 2, 3, 4, 5].map((j) => `${j}:${size * Math.cos(i * j * j + j)}`).join(" ")}`;
  });
  const problem = ridge(readLibsvm(lines.join("\n")), { lambda: .05 });
  const { terms = 0, largestSmoothness, largestTermSmoothness = 0 } = problem.constants;
  assert(largestTermSmoothness > 500 * largestSmoothness);
  const options = { batch: 1, start: new Float32Array(5).fill(3), every: 1e6 };
  for (const form of ["loopless", "table"] as const) {
    const method = vrDiana(rand(2), { terms, form });
    const run = minimise(problem, method, { ...options, rounds: 3000 });
    assert(run.error < 1, `${form}: ${run.error}`); // γ μ is 4e-6
    const faster = minimise(problem, method, { ...options, rounds: 30_000, multiplier: 10 });
    assert(faster.error < .5, `${form}: ${faster.error}`);
    // The step of before, from the smoothness of the mean over the terms.
    const step = 1 / (10 * largestSmoothness * (2 + 4 * 2.5));
    const diverges = minimise(problem, method, { ...options, rounds: 20_000, step });
    assert(diverges.error > 1e6, `${form}: ${diverges.error}`);
  }
});

Deno.test("step sizes scale as they must: with c f in place of f they are 1/c of what they were", () => {
  const twice = (c: Constants): Constants => ({
    ...c,
    smoothness: 2 * c.smoothness,
    largestSmoothness: 2 * c.largestSmoothness,
    meanSquareSmoothness: 2 * c.meanSquareSmoothness,
    largestTermSmoothness: 2 * c.largestTermSmoothness!,
    convexity: 2 * c.convexity,
  });
  const makers: ((convexity: number) => Method)[] = [
    () => average(C),
    () => diana(C),
    () => vrDiana(C, { terms: 8 }),
    (convexity) => adiana(C, { convexity }),
    () => ef21(T),
    () => marina(C),
    () => marina(C, { dense: "all" }),
    () => errorFeedback(T),
    () => doubleSqueeze(contractive(rand(2))),
    () => distEf(top(2)),
    () => localSgd({ every: 3, method: ef21(T) }),
    () => fedAvg({ localSteps: 3, fraction: .4 }),
    () => scaffold({ localSteps: 3, compressor: C }),
    () => qsparseLocal(T, { every: 2 }),
  ];
  for (const make of makers) {
    for (const convexity of [0, mu, Lmax / 4].filter((mu) => mu > 0 || make(1).name !== "adiana")) {
      const one = { ...constants, convexity }, two = twice(one);
      const ratio = make(convexity || 1).stepSize!(one) / make(2 * convexity || 1).stepSize!(two);
      assertAlmostEquals(ratio, 2, 1e-9, `${make(1).name}, μ = ${convexity}`);
    }
  }
});
