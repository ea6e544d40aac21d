import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compose, identity, qsgd, topK } from "../../../../compressors/mod.ts";
import {
  adiana,
  diana,
  doubleSqueeze,
  errorFeedback,
  fedAvg,
  localSgd,
  marina,
  minimise,
  type Problem,
  qsparseLocal,
  scaffold,
} from "../../../../optimizers/mod.ts";
import { lockstep, rand, top } from "../../lockstep.ts";
import { mini, onHq } from "../../problems.ts";

/** (Σ Wᵢ)⁻¹ Σ Wᵢ bᵢ with Wᵢ = I − (I − γ Aᵢ)ᴷ: where K full local steps lead on HQ-mini. */
const biased = [.17458904, .28025086, .88235265];

function distance(problem: Problem, x: Float32Array): number {
  return x.reduce((sum, v, j) => sum + (v - problem.minimiser[j]!) ** 2, 0);
}

Deno.test("fedAvg converges to its exact biased point, scaffold to the optimum", () => {
  for (const method of [fedAvg({ localSteps: 5 }), localSgd({ every: 5 })]) {
    const { parameters } = minimise(mini, method, { rounds: 500, step: .1 });
    parameters.forEach((v, j) => assertAlmostEquals(v, biased[j]!, 1e-6));
    assertAlmostEquals(distance(mini, parameters), .08236936, 1e-6);
  }
  for (const option of ["I", "II"] as const) {
    for (const [fraction, step] of [[1, .1], [.4, .02]] as const) {
      const method = scaffold({ localSteps: 5, option, fraction });
      const { reached, error } = minimise(mini, method, { rounds: 6000, step, error: 1e-10, every: 100 });
      assert(reached, `option ${option}, fraction ${fraction}: ${error}`);
    }
  }
  const one = minimise(mini, localSgd({ every: 1 }), { rounds: 300, step: .1, error: 1e-10 });
  assert(one.reached);
});

onHq("fedAvg stalls at 4.5687; scaffold falls to 1e-10 within its share of the rounds", (hq) => {
  const stalled = minimise(hq, fedAvg({ localSteps: 10 }), { rounds: 3000, step: .05, every: 1000 });
  assertAlmostEquals(distance(hq, stalled.parameters), 4.5687, 1e-3);
  for (const [step, rounds] of [[.03, 150], [.01, 460]] as const) {
    for (const option of ["I", "II"] as const) {
      for (const fraction of [1, .4]) {
        const most = Math.ceil(1.3 * rounds / 2), method = scaffold({ localSteps: 10, option, fraction });
        const { reached, error } = minimise(hq, method, { rounds: 10 * most, step, error: 1e-10, every: 1000 });
        assert(reached, `step ${step}, option ${option}, fraction ${fraction}: ${error} after ${most} rounds`);
      }
    }
  }
});

Deno.test("qsparseLocal's memory is in units of the parameters: nothing is lost when the learning rate changes", () => {
  const run = lockstep(qsparseLocal(top(1), { every: 2 }), { ranks: 3, size: 5 });
  const points = Array.from({ length: 3 }, () => new Float32Array(5)), virtual = new Float64Array(5);
  for (let t = 0; t < 20; t++) {
    const learningRate = t < 8 ? .1 : .01;
    for (const gradient of run.gradients) gradient.forEach((v, j) => virtual[j]! -= learningRate * v / 3);
    run.stepEach(points.map((parameters) => ({ learningRate, parameters }))).forEach((x, rank) => points[rank]!.set(x));
    if (t % 2 === 0) continue;
    virtual.forEach((v, j) => {
      const kept = run.states.reduce((sum, { local }) => sum + local["method.error"]![j]! / 3, 0);
      assertAlmostEquals(points[0]![j]! - kept, v, 1e-5);
    });
  }
});

Deno.test("qsparseLocal with H = 1 is error feedback", () => {
  const one = minimise(mini, qsparseLocal(top(1), { every: 1 }), { rounds: 60, step: .05 });
  const two = minimise(mini, errorFeedback(top(1)), { rounds: 60, step: .05 });
  one.parameters.forEach((v, j) => assertAlmostEquals(v, two.parameters[j]!, 1e-5));
  assertEquals(one.bytes, two.bytes);
});

onHq("qsparseLocal with quantized top-4 has its floors of .20 and 7.5e-3, which fall with the step size", (hq) => {
  const method = qsparseLocal(compose(qsgd({ levels: 4 }), topK({ k: 4 })), { every: 4 });
  for (const [step, expected, from, rounds] of [[.01, .2, 2000, 6000], [.002, 7.5e-3, 8000, 14000]] as const) {
    const { history } = minimise(hq, method, { rounds, step, every: 20 });
    const late = history.filter(({ round }) => round > from), start = distance(hq, new Float32Array(20));
    const found = start * late.reduce((sum, { error }) => sum + error, 0) / late.length;
    assertAlmostEquals(found / expected, 1, .25, `${found} at step ${step}`);
  }
});

Deno.test("local methods send nothing between their rounds, and ranks that were not sampled send empty messages", () => {
  const every = minimise(mini, localSgd({ every: 4 }), { rounds: 19, step: .1 });
  assertEquals(every.bytes, 4 * 12);
  const third = minimise(mini, fedAvg({ localSteps: 2, fraction: 1 / 3, method: diana(rand(1)) }), {
    rounds: 20,
    step: .1,
  });
  assertAlmostEquals(third.bytes, 10 * 4 / 3, 1e-9);
});

Deno.test("ranks that were not sampled stay where the round began and keep their errors", () => {
  const method = fedAvg({ localSteps: 1, fraction: .5, method: errorFeedback(top(1)) });
  const run = lockstep(method, { ranks: 4, size: 5 }), parameters = new Float32Array(5);
  let moved = 0;
  for (let t = 0; t < 12; t++) {
    const before = run.states.map(({ local }) => local["method.error"]!.slice());
    parameters.set(run.step({ learningRate: .1, parameters }));
    const changed = run.states.filter(({ local }, r) => local["method.error"]!.some((v, j) => v !== before[r]![j]!));
    assertEquals(changed.length, 2);
    moved++;
  }
  assertEquals(moved, 12);
});

Deno.test("what cannot be nested is refused", () => {
  assertThrows(() => localSgd({ every: 0 }), RangeError, "every is 0, expected an integer ≥ 1");
  assertThrows(
    () => localSgd({ every: 2, method: adiana(identity(), { convexity: 1 }) }),
    TypeError,
    "owns the update",
  );
  assertThrows(
    () => fedAvg({ localSteps: 2, fraction: 0 }),
    RangeError,
    "fraction is 0, expected a number > 0 and ≤ 1",
  );
  const inner = { step: .1, rounds: 4 };
  assertThrows(
    () => minimise(mini, localSgd({ every: 1, method: marina(rand(1)) }), inner),
    TypeError,
    "another point",
  );
  // One that says it is right among a part of the ranks and is not is refused when it asks.
  const stripes = fedAvg({ localSteps: 1, fraction: .5, method: { ...doubleSqueeze(top(1)), sampled: true } });
  assertThrows(() => minimise(mini, stripes, inner), TypeError, "it asks for allToAll");
});
