import { assert, assertEquals } from "@std/assert/mod.js";
import { Frames } from "../../../compressors/coding/frames.ts";

Deno.test("lengths are sent only where they differ, a byte each up to 127 missing", () => {
  const frames = new Frames("test"), lengths = [3, 0, 200, 5], message = new Uint8Array(1000);
  const write = (most: number, count = 4) =>
    frames.encode(message, count, () => most, (i, part) => (part.fill(i, 0, lengths[i]!), lengths[i]!));
  const end = write(200);
  assertEquals(end, 1 + 208 + 2 + 2 + 1);
  const read: number[] = [];
  frames.decode(message.subarray(0, end), 4, () => 200, (i, part) => {
    assert(part.every((byte) => byte === i));
    read.push(part.length);
  });
  assertEquals(read, lengths);
  assertEquals(message.subarray(209, end).toHex(), "0001c80145".replace("45", "c5"));
  assertEquals(write(200, 1), 3);
  assertEquals(write(200, 0), 0);
  for (let length = 0; length < end; length++) {
    try {
      frames.decode(message.subarray(0, length), 4, () => 200, () => {});
    } catch (error) {
      assert(error instanceof RangeError, String(error));
    }
  }
});
