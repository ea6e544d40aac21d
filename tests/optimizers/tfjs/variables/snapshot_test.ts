import { assertEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { Snapshot } from "../../../../optimizers/tfjs/variables/snapshot.ts";

await tf.setBackend("cpu");

const held = () => ({ tensors: tf.memory().numTensors, buffers: tf.memory().numDataBuffers });
const variables = () => tf.tidy(() => [1, 2, 3].map((value) => tf.variable(tf.tensor1d([value, value]))));
const values = (list: readonly tf.Variable[]) => list.map((variable) => variable.dataSync()[0]);

Deno.test("a snapshot tells what was assigned to, and gives its values again", () => {
  const list = variables(), before = held();
  {
    // Made within a tidy, as in a step of fit: it outlives that.
    let made: Snapshot | undefined;
    tf.tidy(() => void (made = new Snapshot(list)));
    using snapshot = made!;
    assertEquals(snapshot.changed(), []);
    tf.tidy(() => list[1]!.assign(tf.tensor1d([7, 7])));
    tf.tidy(() => list[2]!.assign(list[2]!.mul(2)));
    assertEquals(snapshot.changed(), [list[1]!, list[2]!]);
    assertEquals(values(list), [1, 7, 6]);
    snapshot.restore();
    assertEquals(values(list), [1, 2, 3]);
    assertEquals(snapshot.changed(), []);
    tf.tidy(() => list[0]!.assign(tf.tensor1d([9, 9])));
    snapshot.restore();
    assertEquals(values(list), [1, 2, 3]);
  }
  assertEquals(held(), before);
  tf.dispose(list);
});

Deno.test("a snapshot that is narrowed keeps what is named, lets go of the rest, and leaves nothing behind", () => {
  const list = variables(), before = held();
  {
    using snapshot = new Snapshot(list);
    assertEquals(held(), { tensors: before.tensors + 3, buffers: before.buffers });
    snapshot.narrow([list[2]!]);
    assertEquals(held(), { tensors: before.tensors + 1, buffers: before.buffers });
    for (const variable of list) tf.tidy(() => variable.assign(tf.tensor1d([8, 8])));
    assertEquals(snapshot.changed(), [list[2]!]);
    snapshot.restore();
    assertEquals(values(list), [8, 8, 3]);
  }
  assertEquals(held().tensors, before.tensors);
  tf.dispose(list);
});

Deno.test("a snapshot leaves a variable out that was disposed of", () => {
  const before = held(), list = variables();
  {
    using snapshot = new Snapshot(list);
    for (const variable of list.slice(0, 2)) tf.tidy(() => variable.assign(tf.tensor1d([5, 5])));
    list[0]!.dispose();
    snapshot.restore();
    assertEquals(values(list.slice(1)), [2, 3]);
    tf.dispose(list.slice(1));
  }
  // A value that were given to it all the same would never be let go of.
  assertEquals(held(), before);
});
