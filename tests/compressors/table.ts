/** One compressor of each factory, as text: for tests that go over the whole table. */

import { type Compressor, parseCompressor, perTensor, sparseDithering } from "../../compressors/mod.ts";

/** By factory. What text cannot name is made here. */
export const table: Readonly<Record<string, string>> = {
  adaptiveQuantization: "adaptiveQuantization({ proportion: 0.2 })",
  atomo: "atomo({ rank: 2, columns: 8 })",
  bernoulli: "bernoulli({ p: 0.3 })",
  blockwiseInt8: "blockwiseInt8()",
  bucketed: "bucketed(randK({ k: 4 }), 16)",
  cast: 'cast({ format: "e4m3" })',
  compose: "compose(qsgd({ levels: 2 }), randK({ ratio: 0.3 }))",
  contractive: "contractive(randK({ ratio: 0.2 }))",
  crossPolytope: "crossPolytope({ draws: 20 })",
  dithering: 'dithering({ levels: 3, norm: "max", coding: "entropy" })',
  drive: "drive()",
  eden: "eden({ bits: 1 })",
  identity: "identity",
  induced: "induced(topK({ ratio: 0.1 }), randK({ ratio: 0.2 }))",
  kashin: "kashin({ levels: 4 })",
  naturalCompression: "naturalCompression()",
  naturalDithering: "naturalDithering({ levels: 3 })",
  oneBit: "oneBit()",
  optimalSparsification: "optimalSparsification({ ratio: 0.2 })",
  qsgd: "qsgd({ levels: 2 })",
  quicFl: "quicFl({ bits: 2 })",
  randK: "randK({ ratio: 0.2 })",
  randomizedMean: "randomizedMean({ ratio: 0.2 })",
  repeated: "repeated(sparseDithering({ nu: 1 }), 2)",
  rotated: "rotated(stochasticLevels({ levels: 4 }))",
  scaledSign: "scaledSign({ block: 16 })",
  signTopK: "signTopK({ ratio: 0.3 })",
  sparseDithering: "sparseDithering({ nu: 0.5 })",
  sphericalCompression: "sphericalCompression({ alpha: 0.5, block: 4, unbiased: true })",
  stochasticLevels: "stochasticLevels({ levels: 3 })",
  subtractiveDithering: "subtractiveDithering({ omega: 0.5, states: 4 })",
  ternGrad: "ternGrad()",
  threshold: "threshold({ relative: 0.8 })",
  topK: "topK({ ratio: 0.2 })",
  variableLength: "variableLength()",
  zipml: "zipml({ levels: 4 })",
};

/** Length of the vectors that all of {@linkcode compressors} take. */
export const SIZE = 64;

/** The compressors of the table and perTensor, for vectors of {@linkcode SIZE} numbers. */
export function compressors(): [string, Compressor][] {
  const layout = { names: ["a", "b"], shapes: [[8, 7], [8]], size: SIZE };
  return [
    ...Object.entries(table).map(([name, text]): [string, Compressor] => [name, parseCompressor(text)]),
    ["perTensor", perTensor(layout, () => sparseDithering({ nu: 1 }))],
  ];
}
