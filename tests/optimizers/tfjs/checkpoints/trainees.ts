/** Ranks with a few variables, their checkpoints, and files that are changed by hand. @module */

import * as tf from "@tensorflow/tfjs";
import { writeChecksum } from "../../../../optimizers/files/checksum.ts";
import {
  average,
  DistributedOptimizer,
  type Method,
  readSafetensors,
  type Safetensors,
  saveCheckpoint,
  weightsDigest,
  writeSafetensors,
} from "../../../../optimizers/mod.ts";
import { alone, type Collective, collective, memory } from "../../../../transport/mod.ts";

export interface Options {
  readonly method?: () => Method;
  readonly inner?: () => tf.Optimizer;
  readonly shapes?: readonly number[][];
  readonly names?: readonly string[];
  readonly start?: number;
}

/** One rank: variables, an optimizer, and a step on data of its own. */
export function trainee(group: Collective, options: Options = {}) {
  const { method = () => average(), inner = () => tf.train.adam(0.1), shapes = [[2, 2], [3]], names, start = 1 } =
    options;
  const variables = shapes.map((shape, i) =>
    tf.variable(tf.fill([...shape], start), true, names && `${names[i]}_${variableCount++}`)
  );
  const optimizer = new DistributedOptimizer(inner(), { method: method(), group });
  const loss = () => tf.addN(variables.map((v) => v.sub(group.rank).square().mean())).asScalar();
  // Without the names of variables, which differ between twins.
  const state = () => [weightsDigest(variables), structuredClone({ ...optimizer.getState(), layout: undefined })];
  return { group, variables, optimizer, state, step: () => optimizer.minimizeAsync(loss, false, variables) };
}

let variableCount = 0;

export type Trainee = ReturnType<typeof trainee>;

export const pair = (options?: Options) => memory(2).map((transport) => trainee(collective(transport), options));

export const single = (options?: Options) => trainee(alone() as unknown as Collective, options);

export const stepAll = (ranks: readonly Trainee[]) => Promise.all(ranks.map(({ step }) => step()));

export const save = ({ optimizer, variables }: Trainee) => saveCheckpoint(optimizer, variables);

export async function trained(steps: number, options?: Options): Promise<Uint8Array[]> {
  const ranks = pair(options);
  for (let i = 0; i < steps; i++) await stepAll(ranks);
  return ranks.map(save);
}

/** The file with other tensors or metadata and a checksum that is right. */
export function edited(
  file: Uint8Array,
  edit: (file: { -readonly [K in keyof Safetensors]: Safetensors[K] }) => void,
): Uint8Array {
  const { tensors, metadata } = readSafetensors(file), copy = { tensors: { ...tensors }, metadata: { ...metadata } };
  edit(copy);
  return writeChecksum(writeSafetensors(copy));
}

export const without = (file: Uint8Array, name: string) =>
  edited(file, (copy) => copy.tensors = Object.fromEntries(Object.entries(copy.tensors).filter(([n]) => n !== name)));

export const inners: Record<string, () => tf.Optimizer> = {
  momentum: () => tf.train.momentum(0.05, 0.9),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.05),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01, 0.9, 0.9),
  centered: () => tf.train.rmsprop(0.01, 0.9, 0.9, undefined, true),
};

export async function refusals(ranks: readonly Trainee[]): Promise<string[]> {
  const results = await Promise.allSettled(ranks.map(({ step }) => step()));
  return results.map((result) => {
    if (result.status === "fulfilled") throw new Error("the step was taken");
    return (result.reason as Error).message;
  });
}
