import { assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { restoreCheckpoint, weightsDigest } from "../../../../optimizers/mod.ts";
import { type Options, pair, trained } from "./trainees.ts";

await tf.setBackend("cpu");

let variableCount = 0;

Deno.test("weights are compared by their number, name, shape and type", async () => {
  const names = ["dense_Dense1/kernel", "dense_Dense1/bias"], [file] = await trained(1, { names });
  const shapes = [[2, 2], [3]],
    make = (options: Options, dtype: "float32" | "int32" = "float32") => {
      const { optimizer, variables } = pair({ names, ...options })[0]!;
      return {
        optimizer,
        variables: dtype === "float32"
          ? variables
          : [variables[0]!, tf.variable(tf.zeros([3], dtype), true, `${names[1]}_${variableCount++}`)],
      };
    };
  for (
    const [{ optimizer, variables }, why] of [
      [make({ shapes: [[2, 2]] }), "weight 1 is dense_Dense1/bias_"],
      [make({ shapes: [[2, 2], [3], [1]], names: [...names, "more"] }), "weight 2 is absent in the checkpoint, more_"],
      [make({ shapes: [[4], [3]] }), "[2,2] of float32 in the checkpoint, dense_Dense1/kernel_"],
      [make({ names: ["dense_Dense4/kernel", "other_Dense4/bias"] }), "in the checkpoint, other_Dense4/bias_"],
      [make({ shapes }, "int32"), "[3] of float32 in the checkpoint,"],
    ] as const
  ) {
    const before = [weightsDigest(variables), structuredClone(optimizer.getState())];
    assertThrows(() => restoreCheckpoint(optimizer, file!, variables), Error, why);
    assertEquals([weightsDigest(variables), structuredClone(optimizer.getState())], before);
  }
  // tfjs numbers layers and variables per process: these numbers may differ.
  const { optimizer, variables } = make({ names: ["dense_Dense7/kernel", "dense_Dense7/bias"] });
  restoreCheckpoint(optimizer, file!, variables);
});
