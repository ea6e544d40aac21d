/** Ranks of one thread, and a model with BatchNorm and a frozen layer. @module */

import * as tf from "@tensorflow/tfjs";
import { type Collective, collective, memory } from "../../../transport/mod.ts";

export function together<R>(size: number, rank: (group: Collective) => Promise<R>): Promise<R[]> {
  return Promise.all(memory(size).map((transport) => rank(collective(transport, { timeout: 5000 }))));
}

export function model(seed: number): tf.LayersModel {
  const kernelInitializer = tf.initializers.glorotNormal({ seed });
  return tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units: 2, kernelInitializer, trainable: false }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 1, kernelInitializer }),
    ],
  });
}
