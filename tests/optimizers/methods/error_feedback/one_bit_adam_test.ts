import { kept, ranks, size } from "./conserves.ts";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { identity, scaledSign } from "../../../../compressors/mod.ts";
import { context, oneBitAdam, workspace } from "../../../../optimizers/mod.ts";
import { lockstep, sparsest } from "../../lockstep.ts";
import { runTogether } from "../../../../transport/mod.ts";

Deno.test("oneBitAdam without compression is Adam whose variance is frozen after the warm-up", () => {
  const warmupSteps = 5, rate = .02, [beta1, beta2, epsilon] = [.9, .999, 1e-7];
  const run = lockstep(oneBitAdam({ warmupSteps, compressor: identity() }), { ranks, size });
  const m = new Float64Array(size), v = new Float64Array(size);
  for (let t = 1; t <= 15; t++) {
    // The last parameter never has a gradient.
    for (const gradient of run.gradients) gradient[size - 1] = 0;
    const mean = Array.from(m, (_, j) => run.gradients.reduce((sum, g) => sum + g[j]! / ranks, 0));
    const step = run.step({ learningRate: rate });
    mean.forEach((g, j) => {
      m[j] = beta1 * m[j]! + (1 - beta1) * g;
      if (t <= warmupSteps) v[j] = beta2 * v[j]! + (1 - beta2) * g * g;
      const corrected = m[j]! / (1 - beta1 ** t), scale = Math.sqrt(v[j]! / (1 - beta2 ** Math.min(t, warmupSteps)));
      assertAlmostEquals(step[j]!, rate * corrected / (scale + epsilon), 1e-5);
    });
    assertEquals(step[size - 1], 0);
  }
});

Deno.test("oneBitAdam leaves parameters alone that never had a gradient, also when it compresses", () => {
  const run = lockstep(oneBitAdam({ warmupSteps: 2, compressor: scaledSign() }), { ranks, size });
  for (let t = 0; t < 10; t++) {
    for (const gradient of run.gradients) gradient[4] = 0;
    const step = run.step({ learningRate: .1 });
    assertEquals(step[4], 0);
    assert(step.every(Number.isFinite));
  }
});

Deno.test("oneBitAdam's momentum and errors add up to the momentum of the mean gradient, whatever the learning rate does", () => {
  const run = lockstep(oneBitAdam({ warmupSteps: 2, compressor: sparsest() }), { ranks, size });
  let whole = new Float64Array(size);
  for (let t = 0; t < 20; t++) {
    const before = run.states[0]!.shared.momentum.slice(), rate = t < 5 ? .1 : t % 2 === 0 ? .001 : .05;
    // m̂ + errors: β₁ m + (1 − β₁) g + what was kept, in units of the momentum.
    whole = whole.map((_, j) => {
      const mean = run.gradients.reduce((sum, g) => sum + g[j]! / ranks, 0);
      return .9 * before[j]! + (1 - .9) * mean + kept(run.states, j);
    });
    run.step({ learningRate: rate });
    whole.forEach((v, j) => assertAlmostEquals(run.states[0]!.shared.momentum[j]! + kept(run.states, j), v, 2e-6));
  }
  assert(run.states[0]!.local.error.some((v) => v !== 0));
});

Deno.test("oneBitAdam counts its steps exactly beyond 2²⁴", () => {
  const layout = { names: ["a"], shapes: [[2]], size: 2 };
  const method = oneBitAdam({ warmupSteps: 1 }), state = method.init(layout);
  state.shared.variance.fill(1);
  state.shared.count[0] = 2 ** 24;
  for (let step = 0; step < 2; step++) {
    const now = context({ seed: 0, step, rank: 0, size: 1, layout, workspace: workspace(), learningRate: .1 });
    runTogether([method.reduce(Float32Array.of(1, 1), state, now)]);
  }
  assertEquals(state.shared.count[0], 2 ** 24 + 2);
});
