/** Ranks that can be made to drift apart, and steps that all of them must refuse. @module */

import { assert, assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  average,
  DistributedOptimizer,
  type DistributedOptimizerOptions,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { type Collective, collective, memory } from "../../../../transport/mod.ts";

export function ranksOf(size: number, inner: () => tf.Optimizer, options: Partial<DistributedOptimizerOptions> = {}) {
  return memory(size).map((transport) => {
    const group = collective(transport, { timeout: 20_000 }),
      w = tf.variable(tf.ones([4])),
      b = tf.variable(tf.scalar(1));
    const optimizer = new DistributedOptimizer(inner(), { method: average(), group, ...options });
    const loss = () => w.sub(group.rank).square().sum().add(b.square()).asScalar();
    return { group, w, b, optimizer, step: () => optimizer.minimizeAsync(loss, false, [w, b]) };
  });
}

export type Ranks = ReturnType<typeof ranksOf>;

/** A step that all ranks must refuse with this text, weights untouched; then, once mended, the ranks go on. */
export async function refused(ranks: Ranks, text: RegExp, mend: () => void): Promise<void> {
  const weights = () => ranks.map(({ w, b }) => weightsDigest([w, b])), before = weights();
  const steps = ranks.map(({ optimizer }) => optimizer.iterations);
  for (const result of await Promise.allSettled(ranks.map(({ step }) => step()))) {
    assertEquals(result.status, "rejected");
    const { message } = (result as PromiseRejectedResult).reason;
    assert(text.test(message), message);
  }
  assertEquals(weights(), before);
  assertEquals(ranks.map(({ optimizer }) => optimizer.iterations), steps);
  mend();
  await Promise.all(ranks.map(({ step }) => step()));
}

export const close = async (ranks: { group: Collective }[]) => {
  for (const { group } of ranks) await group[Symbol.asyncDispose]();
};
