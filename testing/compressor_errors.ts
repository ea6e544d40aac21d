/** What holds of a compressor's error, by the constants that it declares. @module */

import { compress, decompress } from "../compressors/compress.ts";
import { isContractive, isLinear, isUnbiased } from "../compressors/compressor.ts";
import { fold } from "../random.ts";
import { assert, excerpt } from "./compare.ts";
import { squaredDistance, squaredNorm } from "../compressors/kernels/sums.ts";
import type { CompressorTrial } from "./compressor_trial.ts";
import { law } from "./error_law.ts";
import type { Property } from "./property.ts";
import { adversarialVector } from "./vectors.ts";

/** The properties of the error, see `compressorProperties`. */
export function errorProperties(trial: CompressorTrial): Property[] {
  const { compressor, options, seed, draws, sizes, kinds, slack, root, lawSizes, declared, cases, laws, property } =
    trial;

  function errorAtMost(bound: (size: number) => number, name: string): void {
    for (const [label, vector, { error, errorMargin, draws }] of laws()) {
      const limit = bound(vector.length) * (1 + slack) + slack * slack;
      assert(
        error - errorMargin <= limit,
        () =>
          `E‖C(x) − x‖² / ‖x‖² is ${error} ± ${errorMargin} on ${label} in ${draws} draws, above ${name} = ${limit}`,
      );
    }
  }

  const { lattice, error: exact, worst } = options, properties: Property[] = [];
  if (lattice !== undefined) {
    properties.push(property("decodes onto its grid", () => {
      for (const [label, vector] of cases(kinds, sizes)) {
        for (let i = 0; i < 4; i++) {
          const k = fold(root, i), decoded = decompress(compressor, compress(compressor, vector, k), k, vector.length);
          assert(
            lattice(decoded, vector),
            () => `${excerpt(decoded)} is off the grid, from ${label}: ${excerpt(vector)}`,
          );
        }
      }
    }));
  }
  if (exact !== undefined) {
    properties.push(property("the mean squared error is the exact one of its formula", () => {
      for (const [label, vector, { error, errorMargin, draws }] of laws()) {
        const norm = squaredNorm(vector);
        // Too few draws to see what is rare, unless all are the same.
        if (norm === 0 || !(draws === 1 || lawSizes.includes(vector.length))) continue;
        const expected = exact(vector) / norm;
        assert(
          // What happens less often than once in the draws may be missing from the mean.
          Math.abs(error - expected) <= errorMargin + slack * (10 + expected),
          () =>
            `E‖C(x) − x‖² / ‖x‖² is ${error} ± ${errorMargin} on ${label} in ${draws} draws, by formula ${expected}`,
        );
      }
    }));
  }
  if (worst !== undefined) {
    properties.push(property("the declared constant is reached to 5 % by the worst vector, and not exceeded", () => {
      for (const size of lawSizes) {
        const vector = worst(size);
        if (vector === undefined) continue;
        const { error, errorMargin } = law(compressor, vector, laws()[0]![2].draws, root);
        const limit = declared(size) * (1 + slack) + slack * slack;
        assert(
          error - errorMargin <= limit,
          () => `the error is ${error} ± ${errorMargin} on the worst vector of ${size}, above the declared ${limit}`,
        );
        assert(
          error + errorMargin >= 0.95 * declared(size),
          () => `the error is ${error} ± ${errorMargin} on the worst vector of ${size}, declared ${declared(size)}`,
        );
      }
    }));
  }
  if (isUnbiased(compressor)) {
    properties.push(
      property("ω is a number, at least 0", () => {
        for (const size of sizes) {
          const omega = compressor.omega(size);
          assert(Number.isFinite(omega) && omega >= 0, () => `omega(${size}) is ${omega}`);
        }
      }),
      property("is unbiased: the mean over draws is the vector", () => {
        for (const [label, vector, { draws, bias }] of laws()) {
          if (!lawSizes.includes(vector.length)) continue; // too few draws for a claim about the mean
          for (const { direction, deviation, margin } of bias) {
            assert(
              // What happens less often than once in the draws may be missing: a few millionths.
              Math.abs(deviation) <= margin + 1e-4 + slack,
              () =>
                `the mean of ${draws} draws is off by ${deviation} ‖x‖ along ${direction} on ${label}, expected 0 ± ${margin}`,
            );
          }
        }
      }),
      property("its variance is at most ω", () => errorAtMost((size) => compressor.omega(size), "ω")),
    );
    if (!isLinear(compressor)) {
      properties.push(property("the errors of two ranks in a step are uncorrelated", () => {
        for (const [label, vector, { correlation, correlationMargin }] of laws()) {
          if (!lawSizes.includes(vector.length)) continue;
          assert(
            Math.abs(correlation) <= correlationMargin + slack,
            () => `E⟨error of rank 0, error of rank 1⟩ / ‖x‖² is ${correlation} ± ${correlationMargin} on ${label}`,
          );
        }
      }));
    }
  }
  if (isContractive(compressor)) {
    properties.push(
      property("0 ≤ α < 1", () => {
        for (const size of sizes) {
          const alpha = compressor.alpha(size);
          assert(0 <= alpha && (alpha < 1 || size === 0), () => `alpha(${size}) is ${alpha}`);
        }
      }),
      property("its mean squared error is at most α", () => errorAtMost((size) => compressor.alpha(size), "α")),
    );
    if (compressor.everyDraw) {
      properties.push(property("every draw's squared error is at most α", () => {
        for (const [label, vector, { worst }] of laws()) {
          const limit = compressor.alpha(vector.length) * (1 + slack) + slack * slack;
          assert(worst <= limit, () => `‖C(x) − x‖² / ‖x‖² was ${worst} on ${label}, above α = ${limit}`);
        }
        for (let i = 0; i < Math.max(10_000, 10 * draws); i++) {
          const vector = adversarialVector(kinds[i % kinds.length]!, lawSizes[i % lawSizes.length]!, seed + i);
          const k = fold(root, i), decoded = decompress(compressor, compress(compressor, vector, k), k, vector.length);
          const error = squaredDistance(decoded, vector), norm = squaredNorm(vector);
          const limit = (compressor.alpha(vector.length) * (1 + slack) + slack * slack) * norm;
          assert(error <= limit, () => `‖C(x) − x‖² was ${error}, above α ‖x‖² = ${limit}: ${excerpt(vector)}`);
        }
      }));
    }
  }
  return properties;
}
