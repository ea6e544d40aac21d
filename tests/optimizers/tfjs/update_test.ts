import { assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { DistributedOptimizer, type Method } from "../../../optimizers/mod.ts";
import { echo, probe } from "./training.ts";

await tf.setBackend("cpu");

Deno.test("a method that yields parameters sets them, and they do not change with its vector afterwards", () => {
  const method: Method = {
    ...probe,
    yields: "parameters",
    // deno-lint-ignore require-yield -- a method may exchange nothing
    *reduce(gradient, _state, { parameters }) {
      parameters!.forEach((value, i) => gradient[i] = value + 1);
    },
  };
  const w = tf.variable(tf.tensor1d([1, 2])),
    optimizer = new DistributedOptimizer(tf.train.sgd(1), { method, group: echo(1) });
  const step = (factor: number) => optimizer.minimize(() => w.square().sum().mul(factor).asScalar(), false, [w]);
  step(1), step(1);
  assertEquals([...w.dataSync()], [3, 4]);
  assertThrows(() => step(NaN), RangeError);
  assertEquals([...w.dataSync()], [3, 4]);
});
