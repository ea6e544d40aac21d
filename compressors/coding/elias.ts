/** Elias's universal codes of the integers from 1 (IEEE Trans. Inf. Theory 21(2), 1975). @module */

import type { BitReader, BitWriter } from "./bits.ts";

const bitLength = (n: number) => 32 - Math.clz32(n);

/** Gamma: ⌊log₂ n⌋ zeros, then n in binary. */
export function writeGamma(writer: BitWriter, n: number): void {
  const length = bitLength(n);
  writer.write(0, length - 1);
  writer.write(n, length);
}

/** Omega, the recursive code that QSGD uses: groups, each the length less one of the next, and a final zero. */
export function writeOmega(writer: BitWriter, n: number): void {
  if (n > 1) group(writer, n);
  writer.write(0, 1);
}

function group(writer: BitWriter, n: number): void {
  const length = bitLength(n);
  if (length > 2) group(writer, length - 1);
  writer.write(n, length);
}

/** Bits of the omega code of n, which never fall as n grows. */
export function omegaLength(n: number): number {
  let bits = 1;
  for (; n > 1; n = bitLength(n) - 1) bits += bitLength(n);
  return bits;
}

/**
 * Reads a gamma code.
 *
 * @throws {RangeError} if the message ends before, or the code is of no integer below 2³²
 */
export function readGamma(reader: BitReader): number {
  let zeros = 0;
  while (reader.read(1) === 0) {
    if (++zeros > 31) throw new RangeError("Cannot read the message: a gamma code exceeds 32 bits");
  }
  return zeros === 0 ? 1 : (2 ** zeros + reader.read(zeros)) >>> 0;
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
