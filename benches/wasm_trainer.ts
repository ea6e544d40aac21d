/** The thread of wasm_bench.ts that trains. @module */

import * as tf from "@tensorflow/tfjs";

export interface Task {
  readonly images: Float32Array;
  readonly labels: Float32Array;
  readonly batch: number;
}
export interface Result {
  /** Of each step. */
  readonly milliseconds: readonly number[];
  readonly loss: number;
  readonly weights: readonly Float32Array[];
}

async function train({ images, labels, batch }: Task): Promise<Result> {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [784],
        units: 128,
        activation: "relu",
        kernelInitializer: tf.initializers.glorotUniform({ seed: 1 }),
      }),
      tf.layers.dense({
        units: 10,
        activation: "softmax",
        kernelInitializer: tf.initializers.glorotUniform({ seed: 2 }),
      }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(1e-3), loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] });
  const x = tf.tensor2d(images, [labels.length, 784]), y = tf.tensor1d(labels);
  const times = [performance.now()];
  const history = await model.fit(x, y, {
    batchSize: batch,
    epochs: 1,
    shuffle: false,
    verbose: 0,
    yieldEvery: "never",
    callbacks: {
      onBatchEnd: () => {
        times.push(performance.now());
      },
    },
  });
  const result = {
    milliseconds: times.slice(1).map((time, i) => time - times[i]!),
    loss: history.history.loss![0] as number,
    weights: model.getWeights().map((weight) => weight.dataSync() as Float32Array),
  };
  model.optimizer.dispose();
  model.dispose();
  tf.dispose([x, y]);
  return result;
}

const thread = globalThis as unknown as { onmessage: (event: MessageEvent) => void; postMessage(data: unknown): void };

thread.onmessage = async ({ data }) => {
  if ("ours" in data) {
    await (data.ours ? import("../wasm/mod.ts") : import("@tensorflow/tfjs-backend-wasm"));
    thread.postMessage(await tf.setBackend("wasm"));
  } else thread.postMessage(await train(data));
};
