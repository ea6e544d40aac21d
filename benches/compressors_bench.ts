/**
 * The speed of compressors on a million gaussian floats, one core, beside memcpy and the identity in the same run.
 *
 * Each is verified before it is timed: its message decodes to what was promised. `deno bench` runs this file; so does
 * `deno run benches/compressors_bench.ts [name …]`, which names the compressors to time as one writes them.
 * The time is the least of several, which other processes disturb least. With limits, in ms: those that issues set.
 *
 * @module
 */

import { compress, type Compressor, describe, isContractive, isUnbiased, parseCompressor } from "../compressors/mod.ts";
import { hadamard } from "../compressors/kernels/hadamard.ts";
import { table } from "../examples/terminal/table.ts";
import { fold, key, normal } from "../random.ts";

const SIZE = 1_000_000, TIMES = 15, PATIENCE = 3000;

/** Compressors and the most ms that encode and decode of a million floats may take. */
const limits: [string, number, number][] = [
  ["identity", Infinity, Infinity],
  ["sparseDithering({ nu: 0.25 })", 60, 30],
  ['sparseDithering({ nu: 0.1, rounding: "nearest" })', 60, 30],
  ["topK({ ratio: 0.01 })", 6, Infinity],
  ["signTopK({ ratio: 0.01 })", Infinity, Infinity],
  ["randK({ ratio: 0.01 })", Infinity, Infinity],
  ["bernoulli({ p: 0.01 })", Infinity, Infinity],
  ["threshold({ relative: 2.5 })", Infinity, Infinity],
  ["optimalSparsification({ ratio: 0.01 })", Infinity, Infinity],
  ["randomizedMean({ ratio: 0.01 })", Infinity, Infinity],
  ["crossPolytope({ draws: 10000 })", Infinity, Infinity],
  ["scaledSign", 6, Infinity],
  ["scaledSign({ block: 512 })", 6, Infinity],
  ["oneBit", Infinity, Infinity],
  ['dithering({ levels: 7, norm: "max" })', 12, Infinity],
  ["bucketed(dithering({ levels: 7 }), 512)", 12, Infinity],
  ["bucketed(qsgd({ levels: 7 }), 512)", Infinity, Infinity],
  ['dithering({ levels: 500, coding: "entropy" })', 60, 60],
  ['dithering({ levels: 7, norm: "max", coding: "entropy" })', 60, 60],
  ['sparseDithering({ nu: 0.25, coding: "entropy" })', 60, 60],
  ["naturalCompression", 12, Infinity],
  ["naturalDithering({ levels: 7 })", Infinity, Infinity],
  ["rotated(identity, { rounds: 1 })", Infinity, Infinity],
  ["rotated(stochasticLevels({ levels: 4 }), { rounds: 1 })", Infinity, Infinity],
  ["eden({ bits: 2 })", Infinity, Infinity],
  ["quicFl({ bits: 2 })", Infinity, Infinity],
  ["subtractiveDithering({ omega: 0.5, states: 1 })", Infinity, Infinity],
  ["subtractiveDithering({ omega: 0.5, states: 8 })", 250, 60],
  ["induced(topK({ ratio: 0.01 }), randK({ ratio: 0.01 }))", Infinity, Infinity],
  ["sphericalCompression({ alpha: 0.25, block: 8 })", 3000, Infinity],
];

/** The least time of some calls, ms. */
function least(call: () => void): number {
  let best = Infinity;
  for (let i = 0, begin = performance.now(); i < TIMES && performance.now() - begin < PATIENCE; i++) {
    const start = performance.now();
    call();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** Throws unless C(x) is as far from x as declared, at most; a tenth more is left to chance. */
function verify(compressor: Compressor, vector: Float32Array, message: Uint8Array, into: Float32Array): void {
  into.fill(0);
  compressor.decodeAdd(message, key(1), 1, into);
  let error = 0, norm = 0;
  for (let i = 0; i < vector.length; i++) error += (into[i]! - vector[i]!) ** 2, norm += vector[i]! ** 2;
  const bound = Math.min(
    isUnbiased(compressor) ? compressor.omega(SIZE) : Infinity,
    isContractive(compressor) ? compressor.alpha(SIZE) : Infinity,
  );
  if (!(error <= 1.1 * bound * norm + 1e-9 * norm)) {
    throw new Error(`${describe(compressor)} errs by ${error / norm}, declared ${bound}`);
  }
}

function run(list: [string, number, number][]): string {
  const vector = normal(fold(key(1), 1), new Float32Array(SIZE)), into = new Float32Array(SIZE);
  const memcpy = least(() => into.set(vector));
  const transform = verifiedHadamard();
  const rows: string[][] = [];
  const judge = (time: number, most: number) => most === Infinity ? "" : time <= most ? `≤ ${most}` : `above ${most}!`;
  let same = 0; // the identity's encode
  for (const [text, mostEncode, mostDecode] of [["identity", Infinity, Infinity] as const, ...list]) {
    const compressor = parseCompressor(text), buffer = new Uint8Array(compressor.maxByteLength(SIZE));
    let message = compress(compressor, vector, key(1), buffer);
    verify(compressor, vector, message, into);
    const encode = least(() => message = compress(compressor, vector, key(1), buffer));
    const decode = least(() => compressor.decodeAdd(message, key(1), 1, into));
    if (same === 0) same = encode;
    rows.push([
      text,
      (8 * message.length / SIZE).toFixed(3),
      encode.toFixed(1),
      judge(encode, mostEncode),
      decode.toFixed(1),
      judge(decode, mostDecode),
      (encode / memcpy).toFixed(0),
      (encode / same).toFixed(0),
    ]);
  }
  rows.splice(0, list.some(([text]) => text === "identity") ? 1 : 0);
  const head = ["a million floats", "bits each", "encode ms", "", "decode ms", "", "× memcpy", "× identity"];
  return `${table(head, rows)}
memcpy ${memcpy.toFixed(2)} ms, ${(4e-6 * SIZE / memcpy).toFixed(1)} GB/s
Hadamard transform of 2²⁰ floats ${transform.toFixed(1)} ms, ${judge(transform, 25)}`;
}

/** The time of a transform of 2²⁰ numbers; throws unless two of them are the identity times 2²⁰. */
function verifiedHadamard(): number {
  const size = 2 ** 20, data = new Float32Array(size).map((_, i) => i % 7);
  hadamard(data, 0, size);
  hadamard(data, 0, size);
  if (!data.every((value, i) => Math.abs(value / size - i % 7) < 1e-4)) throw new Error("hadamard is not its inverse");
  return least(() => hadamard(data.fill(1), 0, size));
}

const names = Deno.args.filter((name) => !name.startsWith("-")).map((name): [string, number, number] => [
  name,
  Infinity,
  Infinity,
]);
console.log(run(names.length > 0 ? names : limits));
