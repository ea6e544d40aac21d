/** Models, data and groups to train with in one thread. @module */

import * as tf from "@tensorflow/tfjs";
import type { Method } from "../../../optimizers/mod.ts";
import {
  type BlockingCollective,
  type Collective,
  collective,
  memory,
  performTogether,
} from "../../../transport/mod.ts";

/** Awaited groups of one thread. */
export function together(size: number): Collective[] {
  return memory(size).map((transport) => collective(transport, { timeout: 5000 }));
}

/** A blocking group whose other ranks say what this one says: what a rank's own path can be tested with. */
export function echo(size: number): BlockingCollective {
  return {
    rank: 0,
    size,
    traffic: { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 },
    perform: (round) =>
      performTogether(Array.from({ length: size }, (_, r) => r === 0 ? round : structuredClone(round)))[0]!,
    [Symbol.dispose]: () => {},
  };
}

export function perceptron(seed = 1): tf.LayersModel {
  const kernelInitializer = (i: number) => tf.initializers.glorotNormal({ seed: seed + i });
  return tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [6], units: 5, activation: "tanh", kernelInitializer: kernelInitializer(0) }),
      tf.layers.dense({ units: 3, activation: "softmax", kernelInitializer: kernelInitializer(1) }),
    ],
  });
}

export function data(rows: number, seed = 3): { xs: tf.Tensor2D; ys: tf.Tensor2D } {
  const xs = tf.randomNormal([rows, 6], 0, 1, "float32", seed) as tf.Tensor2D;
  return { xs, ys: tf.oneHot(xs.slice([0, 0], [rows, 3]).argMax(1), 3).toFloat() as tf.Tensor2D };
}

export function variables(model: tf.LayersModel): tf.Variable[] {
  return model.trainableWeights.map((weight) => weight.read() as tf.Variable);
}

export function weights(model: tf.LayersModel): number[] {
  return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
}

/** Models that are not a plain chain of trained layers. */
export const models: Record<string, () => tf.LayersModel> = {
  plain: perceptron,
  frozen: () => {
    const model = perceptron();
    model.layers[0]!.trainable = false;
    return model;
  },
  "batch normalisation": () =>
    tf.sequential({
      layers: [
        tf.layers.dense({ inputShape: [6], units: 4, kernelInitializer: tf.initializers.glorotNormal({ seed: 5 }) }),
        tf.layers.batchNormalization(),
        tf.layers.dense({
          units: 3,
          activation: "softmax",
          kernelInitializer: tf.initializers.glorotNormal({ seed: 6 }),
        }),
      ],
    }),
  "a shared layer": () => {
    const input = tf.input({ shape: [6] });
    const kernelInitializer = (seed: number) => tf.initializers.glorotNormal({ seed });
    const shared = tf.layers.dense({ units: 6, activation: "tanh", kernelInitializer: kernelInitializer(5) });
    const last = tf.layers.dense({ units: 3, activation: "softmax", kernelInitializer: kernelInitializer(6) });
    return tf.model({ inputs: input, outputs: last.apply(shared.apply(shared.apply(input))) as tf.SymbolicTensor });
  },
};

/** Yields its own update, the gradient at ten times the parameters. */
export const probe: Method = {
  name: "probe",
  options: {},
  yields: "step",
  init: () => ({ local: {}, shared: {} }),
  *reduce(gradient, _state, { parameters }) {
    const at = parameters!.map((value) => 10 * value);
    yield { op: "gradient", at, into: gradient };
  },
};
