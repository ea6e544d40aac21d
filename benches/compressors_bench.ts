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
import { table } from "../examples/table.ts";
import { fold, key, normal } from "../random.ts";

const SIZE = 1_000_000, TIMES = 7;

/** Compressors and the most ms that encode and decode of a million floats may take. */
const limits: [string, number, number][] = [
  ["identity", Infinity, Infinity],
  ["sparseDithering({ nu: 0.25 })", 60, 30],
  ['sparseDithering({ nu: 0.1, rounding: "nearest" })', 60, 30],
  ["topK({ ratio: 0.01 })", 6, Infinity],
  ["randK({ ratio: 0.01 })", Infinity, Infinity],
  ["scaledSign", 6, Infinity],
  ["qsgd({ levels: 7 })", 12, Infinity],
  ["dithering({ levels: 4 })", 12, Infinity],
  ['dithering({ levels: 4, coding: "entropy" })', 60, 60],
  ["naturalCompression", 12, Infinity],
  ["oneBit", Infinity, Infinity],
  ["ternGrad", 12, Infinity],
  ['dithering({ levels: 127, norm: "max" })', 12, Infinity],
  ["naturalDithering({ levels: 7 })", 12, Infinity],
  ['cast({ format: "fp16" })', Infinity, Infinity],
  ['cast({ format: "e4m3", rounding: "random" })', Infinity, Infinity],
  ["blockwiseInt8", Infinity, Infinity],
  ["stochasticLevels({ levels: 16 })", 12, Infinity],
  ["variableLength", 60, 60],
  ["zipml({ levels: 16 })", Infinity, Infinity],
  ["adaptiveQuantization({ proportion: 0.01 })", Infinity, Infinity],
  // Two transforms of 2¹⁹ numbers and the copies around them: a transform of a million alone has 25.
  ["rotated(identity, { rounds: 1 })", 50, 50],
  ["eden({ bits: 1 })", Infinity, Infinity],
  ["eden({ bits: 4 })", Infinity, Infinity],
  ["quicFl({ bits: 2 })", Infinity, Infinity],
  ["kashin", Infinity, Infinity],
  ["subtractiveDithering({ omega: 0.5, states: 1 })", Infinity, Infinity],
  ["subtractiveDithering({ omega: 0.5, states: 8 })", 250, 60],
];

/** The least time of some calls, ms. */
function least(call: () => void): number {
  let best = Infinity;
  for (let i = 0; i < TIMES; i++) {
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
  const rows: string[][] = [];
  let same = 0; // the identity's encode
  for (const [text, mostEncode, mostDecode] of [["identity", Infinity, Infinity] as const, ...list]) {
    const compressor = parseCompressor(text), buffer = new Uint8Array(compressor.maxByteLength(SIZE));
    let message = compress(compressor, vector, key(1), buffer);
    verify(compressor, vector, message, into);
    const encode = least(() => message = compress(compressor, vector, key(1), buffer));
    const decode = least(() => compressor.decodeAdd(message, key(1), 1, into));
    if (same === 0) same = encode;
    const judge = (time: number, most: number) =>
      most === Infinity ? "" : time <= most ? `≤ ${most}` : `above ${most}!`;
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
  return `${table(head, rows)}\nmemcpy ${memcpy.toFixed(2)} ms, ${(4e-6 * SIZE / memcpy).toFixed(1)} GB/s`;
}

const names = Deno.args.filter((name) => !name.startsWith("-")).map((name): [string, number, number] => [
  name,
  Infinity,
  Infinity,
]);
console.log(run(names.length > 0 ? names : limits));
