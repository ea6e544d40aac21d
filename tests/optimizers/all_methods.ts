/**
 * Every method with typical arguments: whatever is tested of all methods is tested of this list. A method that is added
 * gets a line here.
 *
 * @module
 */

// Not from mod.ts: workers that run over the list need no tfjs.
import * as compressors from "../../compressors/factories.ts";
import { type Factories, parse } from "../../compressors/parse.ts";
import type { TensorOfLayout } from "../../compressors/layout.ts";
import * as factories from "../../optimizers/methods/factories.ts";
import type { Layout, Method } from "../../optimizers/methods/method.ts";

/** One method of the list. */
export interface Listed {
  /** The call, as {@linkcode methodOf} reads it. */
  readonly text: string;
  /** Whether it is right where only some of the ranks take part in a step. Absent means no. */
  readonly sampled?: boolean;
  /** The call without compression, with which a step is a mean of gradients. Absent where there is none. */
  readonly exact?: string;
  /** The rate of SGD at which it trains a small network. Absent where a step needs the gradient of all data. */
  readonly rate?: number;
  /** Whether it leads to the optimum of the heterogeneous quadratic of `methodProperties`, as theory says. */
  readonly quadratic?: { readonly reaches: boolean; readonly steps: number; readonly rate: number };
}

const reaches = { reaches: true, steps: 2500, rate: .02 }, stays = { reaches: false, steps: 1500, rate: .02 };

/** All methods but `none`, which exchanges nothing. */
export const methods: readonly Listed[] = [
  { text: "average", sampled: true, exact: "average", rate: .05, quadratic: { reaches: true, steps: 300, rate: .2 } },
  { text: "average(naturalCompression)", sampled: true, rate: .05 },
  { text: "average(randK({ ratio: 0.5 }))", sampled: true, rate: .05, quadratic: stays },
  { text: "average(randK({ ratio: 0.3, shared: true }))", sampled: true, rate: .05, quadratic: reaches },

  {
    text: "errorFeedback(topK({ ratio: 0.25 }))",
    sampled: true,
    exact: "errorFeedback(identity)",
    rate: .05,
    quadratic: stays,
  },
  { text: "errorFeedback(sparseDithering({ nu: 0.5, rounding: 'nearest' }))", sampled: true, rate: .05 },
  { text: "errorFeedback(sparseDithering({ nu: 0.5, rounding: 'nearest' }), { delay: 1 })", rate: .03 },
  { text: "errorFeedback(scaledSign, { delay: 3 })", rate: .02 },
  { text: "doubleSqueeze(topK({ ratio: 0.3 }))", exact: "doubleSqueeze(identity)", rate: .05, quadratic: stays },
  { text: "doubleSqueeze(scaledSign)", rate: .05 },
  { text: "distEf", exact: "distEf(identity, { momentum: 0 })", rate: .01, quadratic: { ...stays, rate: .004 } },
  { text: "distEf(scaledSign({ block: 8 }), { momentum: 0.5, nesterov: false })", rate: .02 },
  { text: "oneBitSgd({ block: 3 })", rate: .03, quadratic: stays },
  { text: "oneBitAdam({ warmupSteps: 3 })", rate: .01 },
  {
    text:
      "oneBitAdam({ warmupSteps: 2, beta1: 0.8, beta2: 0.99, epsilon: 1e-6, compressor: scaledSign({ block: 4 }) })",
    rate: .01,
  },
  // Linear in the mean, so that its error vanishes with the mean gradient.
  { text: "powerSgd({ rank: 1, minimumRate: 0.5 })", sampled: true, rate: .05, quadratic: reaches },
  {
    text: "powerSgd({ rank: 2, minimumRate: 0.5, startStep: 3 })",
    sampled: true,
    exact: "powerSgd({ minimumRate: 1e9 })",
    rate: .05,
  },
  {
    text: "deepGradientCompression({ ratio: 1, momentum: 0 })",
    sampled: true,
    exact: "deepGradientCompression({ ratio: 1, momentum: 0 })",
    rate: .05,
    quadratic: { ...reaches, rate: .1 },
  },
  { text: "deepGradientCompression({ ratio: 0.2, momentum: 0.5, clip: 5, warmupSteps: 4 })", sampled: true, rate: .03 },
  {
    text: "deepGradientCompression({ ratio: 0.2, momentum: 0.5, nesterov: true, masking: false, sample: 0.5 })",
    sampled: true,
    rate: .03,
  },

  { text: "majorityVote", rate: .005 },
  { text: "majorityVote({ momentum: 0 })", rate: .005, quadratic: stays },

  { text: "ef21(topK({ ratio: 0.25 }))", exact: "ef21(identity)", rate: .05, quadratic: reaches },
  {
    text: "ef21(topK({ ratio: 0.25 }), { plus: true })",
    exact: "ef21(identity, { plus: true })",
    rate: .03,
    quadratic: reaches,
  },
  { text: "diana(randK({ ratio: 0.25 }))", sampled: true, exact: "diana(identity)", rate: .03, quadratic: reaches },
  { text: "diana(naturalCompression, { shiftStep: 0.5 })", sampled: true, rate: .05 },
  {
    text: "vrDiana(randK({ ratio: 0.25 }), { terms: 2 })",
    quadratic: reaches,
  },
  { text: "vrDiana(randK({ ratio: 0.25 }), { terms: 4, form: 'table' })", quadratic: reaches },
  { text: "vrDiana(naturalCompression, { terms: 4, refresh: 0.5, shiftStep: 0.1 })" },
  { text: "adiana(randK({ ratio: 0.4 }), { convexity: 1 })", quadratic: reaches },
  { text: "adiana(naturalCompression, { convexity: 0.1, smoothness: 10 })", rate: .05 },
  { text: "adiana(randK({ ratio: 0.4 }), { convexity: 1, smoothness: 3.6, parameters: 'B' })" },
  { text: "marina(naturalCompression)", rate: .05 },
  { text: "marina(randK({ ratio: 0.25 }))", exact: "marina(identity)", rate: .03, quadratic: reaches },
  { text: "marina(randK({ ratio: 0.25 }), { probability: 0.6, dense: 'all' })", quadratic: reaches },

  { text: "localSgd({ every: 3 })", exact: "localSgd({ every: 1 })", rate: .05 },
  { text: "localSgd({ every: 2, method: diana(randK({ ratio: 0.3 })) })", rate: .05 },
  { text: "fedAvg({ localSteps: 3, fraction: 0.7, method: diana(naturalCompression) })", rate: .05 },
  {
    text: "fedAvg({ localSteps: 2, fraction: 0.5, method: errorFeedback(topK({ ratio: 0.25 })), globalRate: 0.8 })",
    rate: .05,
  },
  {
    text: "qsparseLocal(topK({ ratio: 0.25 }), { every: 3 })",
    rate: .05,
    quadratic: { reaches: false, steps: 3000, rate: .01 },
  },
  { text: "qsparseLocal(signTopK({ ratio: 0.25 }), { every: 2 })", rate: .03 },
  { text: "scaffold({ localSteps: 3 })", rate: .05, quadratic: { reaches: true, steps: 900, rate: .05 } },
  { text: "scaffold({ localSteps: 3, option: 'I', fraction: 0.6, compressor: randK({ ratio: 0.3 }) })", rate: .03 },
  { text: "scaffold({ localSteps: 2, option: 'II', globalRate: 0.8 })", rate: .05 },
  { text: "structuredUpdate({ localSteps: 3, ratio: 0.5 })", rate: .08 },
  { text: "structuredUpdate({ localSteps: 2, rank: 2 })", rate: .05 },

  {
    text: "warmup(errorFeedback(topK({ ratio: 0.25 })), { steps: 2 })",
    sampled: true,
    exact: "warmup(errorFeedback(identity), { steps: 2 })",
    rate: .05,
  },
  { text: "warmup(oneBitSgd, { steps: 4, from: average(naturalCompression) })", rate: .03 },
  {
    text: "schedule({ 0: errorFeedback(topK({ ratio: 0.5 })), 3: errorFeedback(topK({ ratio: 0.25 })) })",
    sampled: true,
    exact: "schedule({ 0: errorFeedback(identity), 3: errorFeedback(topK({ ratio: 1 })) })",
    rate: .05,
  },
  {
    text: "skipSmall(layout, errorFeedback(topK({ ratio: 0.25 })), { below: 6 })",
    sampled: true,
    exact: "skipSmall(layout, errorFeedback(identity), { below: 6 })",
    rate: .05,
  },
  {
    text: "perLayer(layout, byShape(powerSgd({ rank: 1 }), errorFeedback(topK({ ratio: 0.5 })), average))",
    sampled: true,
    exact: "perLayer(layout, byShape(average, errorFeedback(identity), average))",
    rate: .03,
  },
  {
    text: "perLayer(layout, byShape(doubleSqueeze(topK({ ratio: 0.5 })), diana(randK({ ratio: 0.5 })), powerSgd))",
    rate: .03,
  },
];

/**
 * What the texts of the list may name: methods, compressors, `layout`, and `byShape(matrix, vector, scalar)` for the method
 * of a tensor by the number of its dimensions.
 */
export function wordsFor(layout: Layout): Factories<unknown> {
  const byShape = (matrix: Method, vector: Method, scalar: Method) => ({ shape }: TensorOfLayout) =>
    shape.length > 1 ? matrix : shape.length === 1 ? vector : scalar;
  return { ...compressors, ...factories, layout: () => layout, byShape } as unknown as Factories<unknown>;
}

/** The method that a text of the list names, for a model of this layout. */
export function methodOf(text: string, layout: Layout): Method {
  return parse(text, wordsFor(layout), "method") as Method;
}
