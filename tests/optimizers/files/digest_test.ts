import { assert, assertEquals, assertNotEquals } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { digest } from "../../../optimizers/files/digest.ts";
import { bits, key } from "../../../random.ts";

await tf.setBackend("cpu");

/** Bytes of some length that are not all the same. */
const some = (length: number, seed = 1) => new Uint8Array(bits(key(seed), new Uint32Array(length)).buffer, 0, length);

Deno.test("digest: of every flipped bit, every length and every place another, in either half", () => {
  const bytes = some(9), seen = [digest().bytes(bytes).hex()];
  for (let length = 0; length < bytes.length; length++) seen.push(digest().bytes(bytes.subarray(0, length)).hex());
  for (let length = 1; length < 9; length++) seen.push(digest().bytes(new Uint8Array(length)).hex());
  for (let bit = 0; bit < 72; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    seen.push(digest().bytes(flipped).hex());
  }
  for (const half of [seen.map((hex) => hex.slice(0, 8)), seen.map((hex) => hex.slice(8))]) {
    assertEquals(new Set(half).size, seen.length);
  }
  assert(seen.every((hex) => /^[0-9a-f]{16}$/.test(hex) && hex.slice(0, 8) !== hex.slice(8)));
});

Deno.test("digest: what came first counts in both halves, however much comes after it", () => {
  const tail = some(400, 2), one = digest().bytes(some(4)).bytes(tail).hex();
  const other = digest().bytes(some(4, 3)).bytes(tail).hex();
  assertNotEquals(one.slice(0, 8), other.slice(0, 8));
  assertNotEquals(one.slice(8), other.slice(8));
});

Deno.test("digest: where one half is the same by chance, the other is not", () => {
  // Of 200 000 digests some 5 pairs share their first 32 bits; that any shares all 64 has a chance of 1e-9.
  const count = 200_000, bytes = new Uint8Array(8), view = new DataView(bytes.buffer);
  const halves = new Set<string>(), whole = new Set<string>();
  for (let i = 0; i < count; i++) {
    view.setUint32(0, i), view.setUint32(4, Math.imul(i, 0x9e3779b1));
    const hex = digest().bytes(bytes).hex();
    halves.add(hex.slice(0, 8)), whole.add(hex);
  }
  assert(halves.size < count);
  assertEquals(whole.size, count);
});

Deno.test("digest: equal for equal bytes wherever they lie, and whole words may come in parts", () => {
  const bytes = some(24), moved = new Uint8Array(40);
  moved.set(bytes, 5);
  const expected = digest().bytes(bytes).hex();
  assertEquals(digest().bytes(moved.subarray(5, 29)).hex(), expected);
  assertEquals(digest().bytes(bytes.subarray(0, 8)).bytes(bytes.subarray(8)).hex(), expected);
});

Deno.test("digest: texts are told apart by where each ends", () => {
  assertNotEquals(digest().text("abcd").text("").hex(), digest().text("").text("abcd").hex());
  assertNotEquals(digest().text("abcdefgh").hex(), digest().text("abcd").text("efgh").hex());
});

Deno.test("a digest changes with every bit and with the length, and its value is pinned", () => {
  const bytes = Uint8Array.from({ length: 9 }, (_, i) => 37 * i + 1);
  const seen = new Set([digest().bytes(bytes).hex()]);
  for (let length = 0; length < bytes.length; length++) seen.add(digest().bytes(bytes.subarray(0, length)).hex());
  for (let bit = 0; bit < 72; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    seen.add(digest().bytes(flipped).hex());
  }
  for (let length = 1; length < 9; length++) seen.add(digest().bytes(new Uint8Array(length)).hex());
  assertEquals(seen.size, 1 + 9 + 72 + 8);
  assertEquals(new Set([...seen].map((hex) => hex.slice(0, 8))).size, seen.size);
  assertEquals(new Set([...seen].map((hex) => hex.slice(8))).size, seen.size);
  const shifted = new Uint8Array(12);
  shifted.set(bytes, 3);
  assertEquals(digest().bytes(shifted.subarray(3)).hex(), digest().bytes(bytes).hex());
  assertEquals(digest().text("Gradwire").hex(), "c2f9a4b0ead51ea7");
});
