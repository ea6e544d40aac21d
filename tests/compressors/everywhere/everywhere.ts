/**
 * Every compressor that can be named, as text, and what it makes of hard vectors: what must be the same bits on every
 * machine, thread and JavaScript engine. Uses nothing but the language, so that browsers run it too.
 *
 * @module
 */

import { compress, decompress, parseCompressor } from "../../../compressors/mod.ts";
import { digest } from "../../../optimizers/files/digest.ts";
import { fold, type Key, key, normal, uniform } from "../../../random.ts";

/** One or more configurations of every factory in compressors/factories.ts. */
export const configurations: readonly string[] = [
  "identity",
  "dithering({ levels: 4 })",
  'dithering({ levels: 7, norm: "max", coding: "elias" })',
  'dithering({ levels: 3, coding: "entropy" })',
  "qsgd({ levels: 4 })",
  "ternGrad",
  "ternGrad({ clip: 2.5 })",
  "naturalCompression",
  "naturalDithering({ levels: 3 })",
  'naturalDithering({ levels: 7, norm: "l2" })',
  "oneBit",
  'cast({ format: "fp16" })',
  'cast({ format: "bf16", rounding: "random" })',
  'cast({ format: "e4m3" })',
  'cast({ format: "e5m2", rounding: "random" })',
  "blockwiseInt8",
  'blockwiseInt8({ block: 64, rounding: "random" })',
  "stochasticLevels({ levels: 2 })",
  "stochasticLevels({ levels: 9 })",
  "variableLength",
  "variableLength({ levels: 5 })",
  "subtractiveDithering({ omega: 0.25, states: 1 })",
  "subtractiveDithering({ omega: 0.1 })",
  "subtractiveDithering({ omega: 4, states: 64 })",
  "zipml({ levels: 4 })",
  "adaptiveQuantization({ proportion: 0.1 })",
  "sparseDithering",
  'sparseDithering({ nu: 0.1, rounding: "nearest" })',
  'sparseDithering({ nu: 0.3, rounding: "nearest", coding: "entropy", rateDistortion: 1, centroids: true })',
  'sparseDithering({ coding: "entropy", scale: "log" })',
  "topK({ k: 20 })",
  "topK({ ratio: 0.1 })",
  "randK({ ratio: 0.1 })",
  "randK({ k: 20, shared: true })",
  "scaledSign",
  "scaledSign({ block: 64 })",
  "contractive(randK({ k: 30 }))",
  "sphericalCompression({ alpha: 0.5, block: 4 })",
  'sphericalCompression({ alpha: 0.6, block: 5, unbiased: true, norm: "log" })',
  "bucketed(qsgd({ levels: 4 }), 100)",
  "repeated(stochasticLevels({ levels: 3 }), 3)",
  "induced(topK({ k: 10 }), naturalCompression)",
  'perTensor({ names: ["a", "b"], shapes: [[64, 16], [7]], size: 1031 }, scaledSign)',
  "eden({ bits: 1.5 })",
  "eden({ bits: 3 })",
  "drive",
  "drive({ biased: true })",
  "rotated(stochasticLevels({ levels: 4 }))",
  "rotated(scaledSign, { rounds: 1 })",
  "optimalSparsification({ ratio: 0.1 })",
  "bernoulli({ p: 0.1 })",
  "threshold({ relative: 2 })",
  'threshold({ tau: 0.5, values: "tau" })',
  "compose(qsgd({ levels: 4 }), randK({ k: 50 }))",
  "signTopK({ ratio: 0.1 })",
  "randomizedMean({ ratio: 0.1 })",
  'randomizedMean({ k: 50, probabilities: "uniform" })',
  "crossPolytope({ draws: 50 })",
  'crossPolytope({ draws: 50, norm: "l2" })',
  "atomo({ rank: 4, columns: 33 })",
  "kashin({ levels: 4 })",
  "quicFl({ bits: 1 })",
  "quicFl({ bits: 3 })",
];

/** A prime: no bit width, block or power of two divides it. */
const SIZE = 1031;

/** exp(x) for |x| < 100 by arithmetic alone, whose last bit the language defines: Math.exp's is each engine's own. */
function exp(x: number): number {
  let power = 1 + x / 1024;
  for (let i = 0; i < 10; i++) power *= power;
  return power;
}

/** The vectors that every configuration is given. */
export function vectors(): Record<string, Float32Array> {
  const draw = (at: number) => normal(fold(key(2020), at), new Float32Array(SIZE));
  const kept = uniform(key(7), new Float32Array(SIZE));
  return {
    gaussian: draw(0),
    lognormal: draw(1).map((z, i) => i % 3 === 1 ? -exp(2 * z) : exp(2 * z)),
    sparse: draw(2).map((z, i) => kept[i]! < 0.05 ? z * z * z : 0),
    allEqual: new Float32Array(SIZE).fill(0.7),
    subnormal: draw(3).map((z) => z * 1e-41),
  };
}

const keys: readonly Key[] = [key(1), fold(key(3), 5)];

/** For each configuration a digest of its messages and of what they decode to, in the order of the table. */
export function digests(): Record<string, string> {
  const inputs = Object.values(vectors()), result: Record<string, string> = {};
  for (const text of configurations) {
    const compressor = parseCompressor(text), whole = digest();
    for (const vector of inputs) {
      for (const k of keys) {
        const message = compress(compressor, vector, k), decoded = decompress(compressor, message, k, vector.length);
        whole.bytes(Uint8Array.of(message.length, message.length >>> 8, message.length >>> 16, 0)).bytes(message);
        whole.bytes(new Uint8Array(decoded.buffer));
      }
    }
    result[text] = whole.hex();
  }
  return result;
}
