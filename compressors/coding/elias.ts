/** Elias's omega code of the integers from 1, which QSGD uses (IEEE Trans. Inf. Theory 21(2), 1975). @module */

import type { BitReader, BitWriter } from "./bits.ts";

/** How many bits n ≥ 1 has in binary. */
const bitLength = (n: number) => 32 - Math.clz32(n);

/**
 * Writes n ≥ 1: n in binary, before it its length less one in binary, before that the length less one of that, and so on
 * down to two bits; and a final zero.
 */
export function writeOmega(writer: BitWriter, n: number): void {
  if (n > 1) group(writer, n);
  writer.write(0, 1);
}

function group(writer: BitWriter, n: number): void {
  const length = bitLength(n);
  if (length > 2) group(writer, length - 1);
  writer.write(n, length);
}

/** How many bits the omega code of n takes. They never become fewer as n grows. */
export function omegaLength(n: number): number {
  let bits = 1;
  for (; n > 1; n = bitLength(n) - 1) bits += bitLength(n);
  return bits;
}

/**
 * Reads an omega code.
 *
 * @throws {RangeError} if the message ends before, or the code is of no integer below 2³²
 */
export function readOmega(reader: BitReader): number {
  let n = 1;
  while (reader.read(1) === 1) {
    if (n > 31) throw new RangeError("Cannot read the message: an omega code exceeds 32 bits");
    n = (2 ** n + reader.read(n)) >>> 0;
  }
  return n;
}
