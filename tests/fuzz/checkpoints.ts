/** Checkpoints, damaged: they are refused whatever was changed in them, and the optimizer and its weights stay as they were. @module */

import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer, restoreCheckpoint, saveCheckpoint } from "../../optimizers/mod.ts";
import { alone } from "../../transport/mod.ts";
import { accepts, type Area, type Try } from "./area.ts";
import { damaged } from "./damage.ts";

async function prepare(): Promise<Try> {
  await tf.setBackend("cpu");
  const weight = tf.variable(tf.tensor1d([1, 2, 3]), true, "w"), loss = () => weight.square().sum() as tf.Scalar;
  const make = () => new DistributedOptimizer(tf.train.momentum(0.1, 0.9), { method: average(), group: alone() });
  const first = make(), files = [saveCheckpoint(first, [weight])];
  await first.minimizeAsync(loss, false, [weight]);
  files.push(saveCheckpoint(first, [weight]));
  const optimizer = make(), own = saveCheckpoint(optimizer, [weight]);
  return (draw, note) => {
    const file = draw.of(files), bytes = damaged(file, draw.of(files), draw);
    note({ checkpoint: bytes });
    const whole = files.some((file) => file.length === bytes.length && file.every((byte, i) => byte === bytes[i]));
    const accepted = accepts(() => restoreCheckpoint(optimizer, bytes, [weight]), true);
    if (accepted && !whole) throw new Error("a damaged checkpoint is restored");
    // What comes after a file that is whole starts from what was before.
    if (accepted) restoreCheckpoint(optimizer, own, [weight]);
    else if (draw.once(16)) {
      const now = saveCheckpoint(optimizer, [weight]);
      if (now.length !== own.length || now.some((byte, i) => byte !== own[i])) throw new Error("the state has changed");
    }
    return accepted;
  };
}

/** Checkpoints. */
export const checkpoints: Area = { name: "checkpoints", share: 1, prepare };
