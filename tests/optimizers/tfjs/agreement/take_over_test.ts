import { assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { takeOver } from "../../../../optimizers/tfjs/agreement/take_over.ts";
import { Bucket, layoutOf } from "../../../../optimizers/mod.ts";
import { runTogether, type WireRound } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

Deno.test("takeOver: all have rank 0's values, and equal ones are not sent", () => {
  const run = (values: number[][]) => {
    const lists = values.map((value) => [tf.variable(tf.tensor1d(value)), tf.variable(tf.scalar(7))]),
      ops: string[] = [];
    runTogether(lists.map(function* (list, rank) {
      const exchange = takeOver(new Bucket(layoutOf(list)), list, rank);
      for (let next = exchange.next([]); !next.done;) {
        if (rank === 0) ops.push((next.value as WireRound).op);
        next = exchange.next(yield next.value);
      }
    }));
    return { values: lists.map((list) => list.map((variable) => [...variable.dataSync()])), ops };
  };
  const first = [[1, 2], [7]];
  assertEquals(run([[1, 2], [3, 4], [5, 6]]), { values: [first, first, first], ops: ["allGather", "broadcast"] });
  assertEquals(run([[1, 2], [1, 2]]), { values: [first, first], ops: ["allGather"] });
});
