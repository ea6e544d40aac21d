/** What is compared when a checkpoint is restored, and what a refusal leaves as it was. */

import { assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { restoreCheckpoint, saveCheckpoint } from "../../../../optimizers/mod.ts";
import { edited, pair, save, single, trained, without } from "./trainees.ts";

await tf.setBackend("cpu");

Deno.test("every flipped bit of a checkpoint and every torn end is refused, and changes nothing", async () => {
  const one = single({ shapes: [[2], [1]], names: ["a\u001b", "b"] });
  await one.step();
  const file = save(one), into = single({ shapes: [[2], [1]], names: ["a\u001b", "b"] }), before = into.state();
  for (let bit = 0; bit < 8 * file.length; bit++) {
    file[bit >>> 3]! ^= 1 << (bit & 7);
    assertThrows(() => restoreCheckpoint(into.optimizer, file, into.variables), Error, "Cannot re", `bit ${bit}`);
    file[bit >>> 3]! ^= 1 << (bit & 7);
  }
  for (let length = 0; length < file.length; length++) {
    assertThrows(() => restoreCheckpoint(into.optimizer, file.subarray(0, length), into.variables), RangeError);
  }
  assertEquals(into.state(), before);
  restoreCheckpoint(into.optimizer, file, into.variables);
});

Deno.test("words that are swapped, moved or cleared: a checkpoint's checksum tells", () => {
  const { optimizer, variables } = single({ shapes: [[16]] });
  variables[0]!.assign(tf.range(1, 17));
  const file = saveCheckpoint(optimizer, variables), start = file.length - 64;
  const refused = (change: (copy: Uint8Array) => void) => {
    const copy = file.slice();
    change(copy);
    assertThrows(() => restoreCheckpoint(optimizer, copy, variables), RangeError, "damaged");
  };
  const [first, second] = [file.slice(start, start + 4), file.slice(start + 4, start + 8)];
  refused((copy) => (copy.set(second, start), copy.set(first, start + 4)));
  refused((copy) => copy.copyWithin(start, start + 4));
  for (let at = start; at < file.length; at += 4) refused((copy) => copy.fill(0, at));
});

Deno.test("tensors that the checkpoint does not name, or that are not as it says, are refused", async () => {
  const [file] = await trained(1), { optimizer, variables } = pair()[0]!;
  const more = (name: string) =>
    edited(file!, (copy) => copy.tensors = { ...copy.tensors, [name]: { shape: [1], values: new Float32Array(1) } });
  const named = (weights: string) => edited(file!, ({ metadata }) => Object.assign(metadata, { weights }));
  for (
    const [damaged, why] of [
      [more("weight/2"), 'a tensor "weight/2", which no checkpoint has'],
      [more("other"), 'a tensor "other"'],
      [more("local/memory"), "local vector memory has 1 numbers in the checkpoint, none here"],
      [more("shared/memory"), "shared vector memory has 1 numbers in the checkpoint, none here"],
      [without(file!, "weight/1"), "names weight 1, but lacks it"],
      [named('[{"name":"a","dtype":"float32"}]'), 'a tensor "weight/1"'],
      [
        named('[{"name":"a","dtype":"int32"},{"name":"b","dtype":"float32"}]'),
        'weight 0 (a) is "int32", but has a Float32Array',
      ],
      [named("[null]"), "the checkpoint's weights is"],
    ] as const
  ) assertThrows(() => restoreCheckpoint(optimizer, damaged, variables), Error, why);
});
