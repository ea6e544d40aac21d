import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { identity, randK } from "../../../../compressors/mod.ts";
import { minimise, scaffold } from "../../../../optimizers/mod.ts";
import { keysOfStep } from "../../../../optimizers/methods/keys.ts";
import { sampleRanks } from "../../../../optimizers/methods/parts/sampling.ts";
import { fold, key, normal, uniform } from "../../../../random.ts";
import { lockstep, rand } from "../../lockstep.ts";
import { mini, separable } from "../../problems.ts";

const ranks = 5, size = 12;

const draw = (of: typeof normal, seed: number) =>
  Array.from({ length: ranks }, (_, rank) => [...of(fold(key(seed), rank), new Float32Array(size))]);

const problem = separable(draw(uniform, 5).map((a) => a.map((v) => .5 + 4.5 * v)), draw(normal, 6));

Deno.test("fault 23: scaffold reaches the optimum with any ω, 1 and above included", () => {
  for (const [k, most] of [[12, 800], [6, 800], [5, 800], [4, 800], [1, 1000]] as const) { // ω = 0, 1, 1.4, 2, 11
    const compressor = k === size ? identity() : randK({ k });
    for (const [localSteps, option] of [[1, "I"], [1, "II"], [5, "II"]] as const) {
      for (const fraction of k > 1 ? [1, .4] : [1]) {
        const method = scaffold({ localSteps, option, fraction, compressor });
        const run = minimise(problem, method, { rounds: most * localSteps, step: .01, error: 1e-10, every: 1e6 });
        assert(run.reached, `k = ${k}, K = ${localSteps}, option ${option}, fraction ${fraction}: ${run.error}`);
      }
    }
  }
});

Deno.test("scaffold's mean control is the mean of all ranks' controls, whoever takes part and whatever is compressed", () => {
  for (const fraction of [1, .6, .2]) {
    for (const compressor of [identity(), rand(3)]) {
      const run = lockstep(scaffold({ localSteps: 2, fraction, compressor }), { ranks, size });
      const points = run.states.map(() => new Float32Array(size));
      for (let t = 0; t < 20; t++) {
        run.stepEach(points.map((parameters) => ({ learningRate: .1, parameters }))).forEach((x, r) =>
          points[r]!.set(x)
        );
        const mean = run.states[0]!.shared.meanControl;
        mean.forEach((c, j) => {
          assertAlmostEquals(c, run.states.reduce((sum, { local }) => sum + local.control[j]! / ranks, 0), 1e-4);
        });
        assert(t === 0 || mean.some((c) => c !== 0));
      }
    }
  }
});

Deno.test("scaffold's second option is the mean gradient on the way, also where the learning rate changes in a round", () => {
  const run = lockstep(scaffold({ localSteps: 4, option: "II" }), { ranks, size });
  const points = run.states.map(() => new Float32Array(size)), rates = [.4, .2, .1, .05];
  for (let round = 0; round < 3; round++) {
    const mean = run.states.map(() => new Float64Array(size));
    for (const learningRate of rates) {
      run.gradients.forEach((g, rank) => g.forEach((v, j) => mean[rank]![j]! += learningRate / .75 * v));
      run.stepEach(points.map((parameters) => ({ learningRate, parameters }))).forEach((x, r) => points[r]!.set(x));
    }
    // Not the mean of the gradients but of what they moved the point by: the rates weigh them.
    run.states.forEach(({ local }, rank) => {
      local.control.forEach((c, j) => assertAlmostEquals(c, mean[rank]![j]!, 1e-5));
    });
  }
});

Deno.test("scaffold moves by η times the mean of what the sampled ranks moved", () => {
  for (const globalRate of [.5, 1, 2]) {
    const run = lockstep(scaffold({ localSteps: 1, fraction: .4, globalRate }), { ranks, size });
    const parameters = new Float32Array(size).fill(1), given = run.gradients.map((g) => g.slice());
    const x = run.step({ learningRate: .1, parameters });
    const members = sampleRanks(.4, 1, { step: 0, size: ranks, keysAt: (step) => keysOfStep(1, step) });
    assertEquals(members.length, 2);
    x.forEach((v, j) => {
      const mean = [...members].reduce((sum, rank) => sum + given[rank]![j]! / 2, 0);
      assertAlmostEquals(v, 1 - globalRate * .1 * mean, 1e-6);
    });
  }
});

Deno.test("scaffold stays at its optimum under compression: nothing is left to compress there", () => {
  const method = scaffold({ localSteps: 3, compressor: rand(2) });
  const run = minimise(problem, method, { rounds: 12_000, step: .01, every: 1e6 });
  assert(run.error < 1e-11, `${run.error}`);
});

Deno.test("scaffold reaches the optimum also with compressed messages", () => {
  const method = scaffold({ localSteps: 5, compressor: rand(2) });
  assert(minimise(mini, method, { rounds: 5000, step: .02, error: 1e-9, every: 1000 }).reached);
});
