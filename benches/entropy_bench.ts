/**
 * How far from the limit, and how fast: entropy-coded compressors on a gaussian vector of 2²⁰, one core, beside memcpy in
 * the same run. Each is verified before it is timed: the error measured is within 1 % of the declared ω (or within α), and
 * the bits above the limit at most the stated. Prints a table; throws where a claim does not hold.
 *
 * @module
 */

import { compress, parseCompressor, type UnbiasedCompressor } from "../compressors/mod.ts";
import { decodeIntegers, encodeIntegers, integersByteLength } from "../compressors/coding/integer_model.ts";
import { table } from "../examples/terminal/table.ts";
import { key, normal } from "../random.ts";

const SIZE = 2 ** 20, TIMES = 4, MILLION = SIZE / 1e6;

/** Compressors, and the most bits a number above ½ log₂(1 + 1/ω), or ½ log₂(1/error) where they are biased. */
const claims: [string, number][] = [
  ...([[1, 0.275], [4, 0.115], [8, 0.095], [16, 0.09], [32, 0.08], [64, 0.07], [256, 0.06]] as const).flatMap((
    [states, above],
  ) =>
    [1, 0.5, 0.1, 0.01].map((
      omega,
    ): [string, number] => [`subtractiveDithering({ omega: ${omega}, states: ${states} })`, above])
  ).filter(([text]) => !/(16|32|256) /.test(text) || text.includes("omega: 0.5,")),
  ['sparseDithering({ nu: 0.2, rounding: "nearest", coding: "entropy", centroids: true, rateDistortion: 1 })', 0.1],
  ['sparseDithering({ nu: 0.99, rounding: "nearest", coding: "entropy", centroids: true, rateDistortion: 3 })', 0.1],
  ['sparseDithering({ nu: 0.2, rounding: "nearest", coding: "entropy", centroids: true })', 0.27],
  ['sparseDithering({ nu: 0.25, coding: "entropy" })', 0.8],
];

function least(call: () => void): number {
  let best = Infinity;
  for (let i = 0; i < TIMES; i++) {
    const start = performance.now();
    call();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

const vector = normal(key(1), new Float32Array(SIZE)),
  into = new Float32Array(SIZE),
  memcpy = least(() => into.set(vector));
const norm = vector.reduce((sum, v) => sum + v * v, 0), rows: string[][] = [];

for (const [text, most] of claims) {
  const compressor = parseCompressor(text), buffer = new Uint8Array(compressor.maxByteLength(SIZE));
  let message = compress(compressor, vector, key(2), buffer);
  into.fill(0);
  compressor.decodeAdd(message, key(2), 1, into);
  let error = 0;
  for (let i = 0; i < SIZE; i++) error += (into[i]! - vector[i]!) ** 2;
  error /= norm;
  const unbiased = "omega" in compressor;
  if (text.startsWith("subtractive")) {
    const omega = (compressor as UnbiasedCompressor).omega(SIZE);
    if (Math.abs(error / omega - 1) > 0.01) throw new Error(`${text}: the error is ${error}`);
  }
  const bits = 8 * message.length / SIZE, above = bits - 0.5 * Math.log2(unbiased ? 1 + 1 / error : 1 / error);
  if (above > most) throw new Error(`${text}: ${above} bits above the limit, expected at most ${most}`);
  const encode = least(() => message = compress(compressor, vector, key(2), buffer)) / MILLION;
  const decode = least(() => compressor.decodeAdd(message, key(2), 1, into)) / MILLION;
  rows.push([
    text,
    error.toPrecision(4),
    bits.toFixed(3),
    above.toFixed(4),
    encode.toFixed(1),
    decode.toFixed(1),
    (encode / memcpy * MILLION).toFixed(0),
  ]);
}
const head = ["gaussian vector of 2²⁰", "error", "bits", "above", "encode ms/1e6", "decode ms/1e6", "× memcpy"];
console.log(table(head, rows));

const integers: string[][] = [];
for (const deviation of [0.2, 0.5, 1, 3, 10]) {
  const values = Int32Array.from(vector, (v) => Math.round(v * deviation)), counts = new Map<number, number>();
  for (const v of values) counts.set(v, (counts.get(v) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= count / SIZE * Math.log2(count / SIZE);
  const most = 10 * Math.ceil(deviation),
    bytes = new Uint8Array(integersByteLength(SIZE, most)),
    out = new Int32Array(SIZE);
  const end = encodeIntegers(values, most, bytes, 0), message = bytes.subarray(0, end);
  if (!decodeIntegers(message, 0, most, out).every((v, i) => v === values[i])) {
    throw new Error("integers did not come back");
  }
  integers.push([
    `rounded gaussians, deviation ${deviation}`,
    entropy.toFixed(4),
    (8 * end / SIZE).toFixed(4),
    (least(() => encodeIntegers(values, most, bytes, 0)) / MILLION).toFixed(1),
    (least(() => decodeIntegers(message, 0, most, out)) / MILLION).toFixed(1),
  ]);
}
console.log(`\n${table(["encodeIntegers", "entropy", "bits", "encode ms/1e6", "decode ms/1e6"], integers)}`);
