/** Random sets of indices, and what every code of sets must do with them. @module */

import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { choose, key } from "../../../random.ts";

/** A set of indices with and without structure, its universe, and the bit to start at. */
export const sets = fc.tuple(
  fc.nat(300),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.nat(1e6),
  fc.boolean(),
  fc.nat(17),
)
  .map(
    ([size, density, seed, run, bitAt]) => {
      const count = Math.round(density * size), start = seed % (size - count + 1);
      const indices = run ? Uint32Array.from({ length: count }, (_, i) => start + i) : choose(key(seed), count, size);
      return { size, count, indices, bitAt };
    },
  );

/** log₂ C(size, count). */
export function entropy(count: number, size: number): number {
  let bits = 0;
  for (let i = 0; i < count; i++) bits += Math.log2((size - i) / (i + 1));
  return bits;
}

type Encode = (indices: Uint32Array, count: number, size: number, message: Uint8Array, bitAt: number) => number;
type Decode = (message: Uint8Array, bitAt: number, count: number, size: number, indices: Uint32Array) => number;

/** What was written is read, from any bit, and other bits are left alone. */
export function assertRead(encode: Encode, decode: Decode): void {
  fc.assert(
    fc.property(sets, ({ size, count, indices, bitAt }) => {
      const message = new Uint8Array(80).fill(255), out = new Uint32Array(count);
      const end = encode(indices, count, size, message, bitAt);
      if (end > bitAt && (end & 7) !== 0) assertEquals(message[end >>> 3]! & (255 >>> (end & 7)), 0);
      assert(message.subarray(0, bitAt >>> 3).every((byte) => byte === 255));
      assertEquals((message[bitAt >>> 3]! | (255 >>> (bitAt & 7))) & 255, 255);
      assert(message.subarray((end + 7) >>> 3).every((byte) => byte === 255));
      // Whatever follows does not matter.
      for (const after of [0, 255]) {
        const read = message.slice().fill(after, (end + 7) >>> 3);
        if ((end & 7) !== 0) read[end >>> 3]! |= after & (255 >>> (end & 7));
        assertEquals(decode(read, bitAt, count, size, out), end);
        assertEquals(out, indices);
      }
      assertEquals(decode(message.subarray(0, (end + 7) >>> 3), bitAt, count, size, out), end);
    }),
    { numRuns: 1000 },
  );
}
