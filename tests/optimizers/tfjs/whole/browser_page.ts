/**
 * What browser_test.ts bundles, all of the library and tfjs: a page, rank 0, awaits its steps, and a worker of the same
 * bundle, rank 1, calls fit.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import {
  broadcastChannel,
  broadcastChannelAsync,
  type Collective,
  connect,
  DistributedOptimizer,
  errorFeedback,
  type GroupMemory,
  groupMemory,
  topK,
  weightsDigest,
} from "../../../../mod.ts";
import type { Group } from "../../../../optimizers/tfjs/agreement/group.ts";

/** What the page came to. */
export interface Said {
  /** The size of the group that connect() finds in a browser. */
  readonly alone: number;
  /** What fit says of a group that is awaited. */
  readonly fit: string;
  /** Digests of the weights: at first, and of each rank at the end. */
  readonly before: string;
  readonly page: string;
  readonly worker: string;
}

const STEPS = 4, place = { name: "page", size: 2 };
const scope = globalThis as unknown as {
  document?: unknown;
  result: Promise<Said>;
  onmessage: (event: MessageEvent<GroupMemory>) => void;
  postMessage(message: unknown): void;
};

await tf.setBackend("cpu");
const xs = tf.ones([8, 3]), ys = tf.ones([8, 1]);

function trainee(group: Group) {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3] })] });
  const method = errorFeedback(topK({ k: 2 }));
  const optimizer = new DistributedOptimizer(tf.train.adam(0.1), { method, group });
  model.compile({ optimizer, loss: "meanSquaredError" });
  return { model, optimizer };
}

async function page(): Promise<Said> {
  using alone = await connect();
  const memory = groupMemory(place), worker = new Worker("/bundle.js", { type: "module" });
  const next = () => new Promise<string>((resolve) => worker.onmessage = ({ data }) => resolve(data));
  await next();
  worker.postMessage(memory);
  await using group: Collective = await broadcastChannelAsync({ ...place, rank: 0, memory });
  const { model, optimizer } = trainee(group), before = weightsDigest(model), theirs = next();
  const fit = await model.fit(xs, ys, { verbose: 0 }).then(() => "it went on", String);
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const loss = () => tf.losses.meanSquaredError(ys, model.apply(xs) as tf.Tensor).asScalar();
  for (let step = 0; step < STEPS; step++) await optimizer.minimizeAsync(loss, false, variables);
  return { alone: alone.size, fit, before, page: weightsDigest(model), worker: await theirs };
}

async function worker(memory: GroupMemory): Promise<string> {
  using group = await broadcastChannel({ ...place, rank: 1, memory });
  const { model } = trainee(group);
  await model.fit(xs, ys, { epochs: STEPS, batchSize: 8, verbose: 0 });
  return weightsDigest(model);
}

if (scope.document !== undefined) scope.result = page();
else {
  scope.onmessage = ({ data }) => void worker(data).catch(String).then((said) => scope.postMessage(said));
  scope.postMessage("ready");
}
