/** Ranks with a model that are saved to a folder and restored from it. @module */

import { assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  average,
  DistributedOptimizer,
  type Method,
  type Restored,
  restoreFrom,
  type RestoreOptions,
  type Saved,
  type SaveOptions,
  saveTo,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { type Collective, collective, memory } from "../../../../transport/mod.ts";

export interface Options {
  readonly method?: () => Method;
  readonly inner?: () => tf.Optimizer;
  readonly units?: number;
  readonly seed?: number;
}

/** One rank: a model with BatchNorm, whose averages differ by rank, and a step on data of its own. */
export function trainee(group: Collective, options: Options = {}) {
  const { method = () => average(), inner = () => tf.train.adam(0.01), units = 3, seed = 0 } = options;
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units, kernelInitializer: tf.initializers.glorotNormal({ seed: 1 }) }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 1, kernelInitializer: tf.initializers.glorotNormal({ seed: 2 }) }),
    ],
  });
  const optimizer = new DistributedOptimizer(inner(), { method: method(), group, seed });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const step = () => {
    const xs = tf.randomNormal([8, 3], 0, 1, "float32", 100 * optimizer.iterations + group.rank + 1);
    const loss = () => tf.losses.meanSquaredError(xs.sum(1, true), model.apply(xs, { training: true }) as tf.Tensor);
    return optimizer.minimizeAsync(() => loss().asScalar(), false, variables);
  };
  const state = () => [weightsDigest(model), structuredClone({ ...optimizer.getState(), layout: undefined })];
  return { group, model, optimizer, step, state };
}

export type Trainee = ReturnType<typeof trainee>;

export const make = (size: number, options?: Options) =>
  memory(size).map((transport) => trainee(collective(transport), options));

export const both = (list: readonly Trainee[]) => list.map(({ state }) => state());

export async function steps(list: readonly Trainee[], count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.all(list.map(({ step }) => step()));
}

/** All ranks do it; throws what the first one throws, after all have ended. */
export async function all<T>(
  list: readonly Trainee[],
  work: (trainee: Trainee, rank: number) => Promise<T>,
): Promise<T[]> {
  const results = await Promise.allSettled(list.map(work));
  const errors = results.flatMap((result) => result.status === "rejected" ? [(result.reason as Error).message] : []);
  // All ranks or none, and all with the same words.
  if (errors.length > 0) assertEquals(errors, results.map(() => errors[0]));
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

export const save = (list: readonly Trainee[], folder: string, options: Partial<SaveOptions> = {}): Promise<Saved[]> =>
  all(
    list,
    ({ group, optimizer, model }, rank) =>
      saveTo(folder, { group, optimizer, weights: model, position: { epoch: optimizer.iterations, rank }, ...options }),
  );

export const restore = (
  list: readonly Trainee[],
  folder: string,
  options: Partial<RestoreOptions> = {},
): Promise<(Restored | undefined)[]> =>
  all(list, ({ group, optimizer, model }) => restoreFrom(folder, { group, optimizer, weights: model, ...options }));

export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await body(`${root}/check points#1`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
