import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer, workspace } from "../../../../optimizers/mod.ts";
import { stepTogether } from "../../../../testing/step_together.ts";
import { collective, memory } from "../../../../transport/mod.ts";
import { methodOf, methods } from "../../all_methods.ts";

await tf.setBackend("cpu");

/** The layout of a and b. */
const layout = { names: ["a", "b"], shapes: [[2, 2], []], size: 5 };

/** The factors of the gradient of a (2 × 2) and of b (scalar) in step s on a rank; undefined: there is none. */
type Plan = (s: number, rank: number) => readonly [number | undefined, number | undefined];

const plans: Record<string, Plan> = {
  // What topK keeps back of b in even steps it sends in odd ones, in which b has no gradient.
  "on all ranks in even steps": (s) => s % 2 === 0 ? [1, 0.75] : [0.5, undefined],
  "on one rank only": (s, rank) => [0.5 + rank, rank === 1 ? 1 + s : undefined],
  "in turns": (s, rank) => s % 2 === rank ? [1, undefined] : [undefined, 0.75],
  "in the first step only": (s) => [1, s === 0 ? 4 : undefined],
};

const rate = 0.125, steps = 12, ranks = 2;

/** Trains a and b with gradients as planned, through tfjs. Returns the weights of each rank. */
async function train(text: string, plan: Plan, absentAsZeros: boolean): Promise<number[][]> {
  const trainees = memory(ranks).map((transport) => {
    const group = collective(transport, { timeout: 10_000 });
    const a = tf.variable(tf.zeros([2, 2])), b = tf.variable(tf.scalar(0));
    const optimizer = new DistributedOptimizer(tf.train.sgd(rate), { method: methodOf(text, layout), group, seed: 3 });
    const step = (s: number) => {
      const [ga, gb] = plan(s, group.rank).map((g) => absentAsZeros ? g ?? 0 : g);
      const loss = () => {
        const parts = [
          ...ga === undefined ? [] : [a.mul(tf.tensor2d([[0.125, 0.25], [0.375, 1]])).sum().mul(ga)],
          ...gb === undefined ? [] : [b.mul(gb)],
        ];
        return tf.addN(parts).asScalar();
      };
      return optimizer.minimizeAsync(loss, false, [a, b]);
    };
    return { group, step, weights: () => [...a.dataSync(), ...b.dataSync()] };
  });
  for (let s = 0; s < steps; s++) await Promise.all(trainees.map(({ step }) => step(s)));
  for (const { group } of trainees) await group[Symbol.asyncDispose]();
  return trainees.map(({ weights }) => weights());
}

for (const [when, plan] of Object.entries(plans)) {
  for (const { text, rate } of methods) {
    if (rate === undefined) continue;
    Deno.test(`${text}: a variable with a gradient ${when} ends where gradients of zeros lead, on all ranks`, async () => {
      const absent = await train(text, plan, false), zeros = await train(text, plan, true);
      assertEquals(absent, zeros);
      assertEquals(absent[0], absent[1]); // 12 steps end in an exchange of every method
      assert(absent[0]!.every(Number.isFinite) && absent[0]!.some((value) => value !== 0));
    });
  }
}

Deno.test("what is absent is what the method itself makes of zeros", async () => {
  const text = "errorFeedback(topK({ k: 1 }), { delay: 1 })", plan = plans["on all ranks in even steps"]!;
  const method = methodOf(text, layout);
  const states = Array.from({ length: ranks }, () => method.init(layout, ranks)), work = states.map(() => workspace());
  const x = new Float64Array(5);
  for (let s = 0; s < steps; s++) {
    const gradients = states.map((_, rank) => {
      const [a = 0, b = 0] = plan(s, rank);
      return Float32Array.of(0.125 * a, 0.25 * a, 0.375 * a, a, b);
    });
    const facts = () => ({ learningRate: rate });
    stepTogether(method, states, gradients, { seed: 3, step: s, layout, workspaces: work, facts });
    gradients[0]!.forEach((g, i) => x[i]! -= rate * g);
  }
  const [weights] = await train(text, plan, false);
  weights!.forEach((weight, i) => assertAlmostEquals(weight, x[i]!, 1e-5));
});

Deno.test("where no rank has a gradient and the method delivers none, the inner optimizer leaves the variable alone", async () => {
  // As tfjs does: momentum moves what has a gradient of zeros, and does not move what has none.
  const trainees = memory(2).map((transport) => {
    const group = collective(transport, { timeout: 10_000 }),
      a = tf.variable(tf.scalar(0)),
      b = tf.variable(tf.scalar(0));
    const optimizer = new DistributedOptimizer(tf.train.momentum(1, 0.5), { method: average(), group });
    return {
      group,
      b,
      step: (s: number) => optimizer.minimizeAsync(() => (s === 0 ? a.add(b) : a).asScalar(), false, [a, b]),
    };
  });
  for (let s = 0; s < 3; s++) await Promise.all(trainees.map(({ step }) => step(s)));
  for (const { group, b } of trainees) {
    assertEquals(b.dataSync()[0], -1);
    await group[Symbol.asyncDispose]();
  }
});
