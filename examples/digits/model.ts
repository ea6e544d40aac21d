/** The network of the digits examples. @module */

import * as tf from "@tensorflow/tfjs";

/** 784-128-10: 101 770 parameters, equal for equal seeds. */
export function digitsModel(seed: number): tf.Sequential {
  const layer = (units: number, activation: "relu" | "softmax", offset: number) => ({
    units,
    activation,
    kernelInitializer: tf.initializers.glorotUniform({ seed: seed * 2 + offset }),
  });
  return tf.sequential({
    layers: [
      tf.layers.dense({ ...layer(128, "relu", 1), inputShape: [784] }),
      tf.layers.dense(layer(10, "softmax", 2)),
    ],
  });
}
