/** A bit for each number of a vector, 1 where the number is below 0. A zero is not, whatever its sign. @module */

/** The sum of the numbers from 0 on, that of the numbers below 0, and how many are below. */
export function signedSums(vector: Float32Array): { positive: number; negative: number; negatives: number } {
  const words = new Int32Array(vector.buffer, vector.byteOffset, vector.length);
  let negatives = 0;
  sums.fill(0);
  for (let i = 0; i < vector.length; i++) {
    // Without branches, which random signs make the processor mispredict; two sums of each kind take turns, so that
    // additions do not wait for one another.
    const negative = below(words[i]!);
    sums[2 * (i & 1) + negative]! += vector[i]!;
    negatives += negative;
  }
  return { positive: sums[0]! + sums[2]!, negative: sums[1]! + sums[3]!, negatives };
}

const sums = new Float64Array(4);

/** Writes the bits from byte `at` on, most significant first, the last byte filled with zeros. Returns the position after it. */
export function packSigns(vector: Float32Array, bytes: Uint8Array, at: number): number {
  const words = new Int32Array(vector.buffer, vector.byteOffset, vector.length);
  const size = words.length, whole = size & ~7;
  let i = 0;
  for (; i < whole; i += 8) {
    bytes[at++] = below(words[i]!) << 7 | below(words[i + 1]!) << 6 | below(words[i + 2]!) << 5 |
      below(words[i + 3]!) << 4 | below(words[i + 4]!) << 3 | below(words[i + 5]!) << 2 |
      below(words[i + 6]!) << 1 | below(words[i + 7]!);
  }
  if (i < size) {
    let byte = 0;
    for (let j = i; j < i + 8; j++) byte = byte << 1 | (j < size ? below(words[j]!) : 0);
    bytes[at++] = byte;
  }
  return at;
}

/** 1 for the word of a float below 0, else 0: the sign bit, but not where it is the only one, which is −0. */
function below(word: number): number {
  const rest = word << 1;
  return (word & (rest | -rest)) >>> 31;
}

/** into[i] += low where bit i from byte `at` on is 1, else high. */
export function addSigns(bytes: Uint8Array, at: number, high: number, low: number, into: Float32Array): void {
  const size = into.length, whole = size & ~7;
  pair[0] = high, pair[1] = low;
  let i = 0;
  for (; i < whole; i += 8) {
    const byte = bytes[at++]!;
    for (let j = 0; j < 8; j++) into[i + j]! += pair[(byte >>> (7 - j)) & 1]!;
  }
  for (; i < size; i++) into[i]! += pair[(bytes[at]! >>> (7 - (i & 7))) & 1]!;
}

const pair = new Float64Array(2);
