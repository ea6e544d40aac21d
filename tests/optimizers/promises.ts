/**
 * What the theorem of each method promises of E‖xᵗ − x*‖², as bounds for `theoryProperties`. Each is derived in the
 * documentation of its method; the functionals that fall are those named there.
 */

import { sampleSize, samplingVariance } from "../../optimizers/methods/parts/sampling.ts";
import type { TheoryCase } from "../../testing/mod.ts";

/** A bound, given the method's compressor: its ω or its α for a number of parameters. */
export type Promise = (of: (size: number) => number) => (given: TheoryCase) => number;

const { max } = Math;

/** ‖x − x*‖² falls by 1 − γ μ, up to the noise of compressing gradients that do not vanish. */
export const ofAverage: Promise = (omega) => ({ constants, step, steps, distance, gradients }) => {
  const { size, ranks, convexity } = constants;
  return (1 - step * convexity) ** steps * distance + 2 * step * omega(size) * gradients / (convexity * ranks);
};

/** With a common key the noise vanishes with the mean gradient. */
export const ofCommonKey: Promise = () => ({ constants: { convexity }, step, steps, distance }) =>
  (1 - step * convexity) ** steps * distance;

/** f(x) − f(x*) falls by 1 − (1 − α) μ γ at γ = 1/L. */
export const ofDescent: Promise = (alpha) => ({ constants: { size, convexity }, step, steps, gap }) =>
  2 / convexity * gap * (1 - (1 - alpha(size)) * convexity * step) ** steps;

/** ‖x − x*‖² + (4 ω / (n α)) γ² σ. */
export const ofDiana: Promise =
  (omega) => ({ constants: { size, ranks, convexity }, step, steps, distance, gradients }) => {
    const shift = 1 / (1 + omega(size));
    return (distance + 4 * omega(size) / (ranks * shift) * step ** 2 * gradients) *
      max(1 - step * convexity, 1 - shift / 2) ** steps;
  };

/** ‖x − x*‖² + γ² (M σ + N V), with p = 1/m; the table begins with zeros, the reference point with x⁰. */
export const ofVrDiana = (form: "loopless" | "table"): Promise => (omega) => (given) => {
  const { constants: { size, ranks, convexity, terms = 1, largestTermSmoothness = 0 }, step, steps, distance } = given;
  const shift = 1 / (1 + omega(size)),
    M = 4 * omega(size) / (ranks * shift),
    N = (4 + 24 * omega(size)) / ranks * terms;
  const V = form === "table" ? given.termGradients : 2 * largestTermSmoothness * given.gap;
  return (distance + step ** 2 * (M * given.gradients + N * V)) *
    max(1 - step * convexity, 1 - shift / 2, 1 - 1 / (2 * terms)) ** steps;
};

/** f(x) − f(x*) + (γ/θ) G falls by 1 − γ μ; G of the first estimates is at most α times their gradients. */
export const ofEf21: Promise = (alpha) => ({ constants: { size, convexity }, step, steps, gap, startGradients }) => {
  const a = alpha(size);
  return 2 / convexity * (gap + step / (1 - Math.sqrt(a)) * a * startGradients) * (1 - step * convexity) ** steps;
};

/** f(x) − f(x*) + (γ/p) G falls by 1 − γ μ, and the first estimate is exact. */
export const ofMarina: Promise = () => ({ constants: { convexity }, step, steps, gap }) =>
  2 / convexity * gap * (1 - step * convexity) ** steps;

/**
 * r = ‖x − γ e − x*‖², e the mean error, falls by 1 − γ μ / 2 up to 48 L γ³ (1 − δ)/δ² (1/n) Σ ‖∇fᵢ(x*)‖² a step, with
 * 12 L γ³/δ (1/n) Σ ‖eᵢ‖²; x is no farther than that says.
 */
export const ofErrorFeedback: Promise = (alpha) => ({ constants, step, steps, distance, gradients }) => {
  const { size, smoothness: L, convexity } = constants, delta = 1 - alpha(size);
  const floor = 96 * L * step ** 2 * (1 - delta) / (delta ** 2 * convexity) * gradients;
  return 4 * (2 + delta / (6 * L * step)) * (distance * (1 - step * convexity / 2) ** steps + floor);
};

/**
 * The same for errors of at most K |g|, K = 8/δ²: of γ Lmax (1 + 2 K) ≤ .85 the margin of .05 for the rate and of .1 for
 * gradients that differ leaves at least a rate of 1 − γ μ / 20 and a floor of 11 K γ / (.05 μ) (1/n) Σ ‖∇fᵢ(x*)‖².
 */
export const ofBothWays =
  (momentum: number): Promise => (alpha) => ({ constants, step, steps, distance, gradients }) => {
    const { size, ranks, convexity } = constants, lengths = [Math.floor(size / ranks), Math.ceil(size / ranks)];
    const delta = 1 - max(...lengths.filter((length) => length > 0).map(alpha)), whole = step / (1 - momentum);
    const floor = 11 * (8 / delta ** 2 + momentum / (1 - momentum)) * whole / (.05 * convexity) * gradients;
    return 4 * (distance * (1 - whole * convexity / 20) ** steps + floor);
  };

/** Local steps: the promise of a mean of compressed gradients for a step of H γ, and what the way between exchanges adds. */
export const ofLocal =
  (every: number, fraction = 1): Promise => (omega) => ({ constants, step, steps, distance, gradients }) => {
    const { size, ranks, largestSmoothness, convexity } = constants,
      round = every * step,
      taking = sampleSize(fraction, ranks);
    const drift = largestSmoothness * step * (every - 1),
      noise = (omega(size) + samplingVariance(taking, ranks)) / taking;
    const floor = drift ** 2 / largestSmoothness + round * (4.5 * drift ** 2 + 2.26 * noise);
    return (1 - .4 * round * convexity) ** (steps / every) * distance + floor * gradients / (.4 * convexity);
  };

/** Sampled shifts: ‖x − x*‖² + (4 (ω + q) / (|S| a)) γ² σ, a = |S| / (n (1 + ω)). */
export const ofSampledDiana =
  (fraction: number): Promise => (omega) => ({ constants, step, steps, distance, gradients }) => {
    const { size, ranks, convexity } = constants,
      taking = sampleSize(fraction, ranks),
      a = taking / ranks / (1 + omega(size));
    const M = 4 * (omega(size) + samplingVariance(taking, ranks)) / (taking * a);
    return (distance + M * step ** 2 * gradients) * max(1 - step * convexity, 1 - a / 2) ** steps;
  };

/** r + (16 W / (3 a)) σ, from round to round. */
export const ofScaffold = (K: number, fraction: number, eta: number): Promise => (omega) => (given) => {
  const { constants: { size, ranks, largestSmoothness, convexity }, step, steps, distance, gradients } = given;
  const taking = sampleSize(fraction, ranks), a = taking / ranks / (1 + omega(size)), round = K * step * eta;
  const rho = largestSmoothness * step * (K - 1) / 2;
  const W = round * largestSmoothness * (K * step) ** 2 / 3 +
    round ** 2 * (2 * rho ** 2 + (1 + rho) ** 2 * (omega(size) + samplingVariance(taking, ranks)) / taking);
  return (distance + 16 * W / (3 * a) * gradients) * max(1 - round * convexity / 2, 1 - a / 2) ** (steps / K);
};
