/**
 * What holds at the ends of float32's range.
 *
 * Next to the largest: norms, scales and what is decoded are held to float32. Where (1 + ω) √d ‖x‖ (for a contractive
 * compressor √d ‖x‖) is below 2¹²⁷ nothing reaches it, and the constants hold. Beyond, what is decoded is finite. Below 2⁻¹²⁶ float32 has a fixed step of 2⁻¹⁴⁹, to which scales and what is decoded are
 * rounded: that adds at most one step a number to the root mean square error. sparseDithering's step does not fall below
 * 2⁻¹²⁶, so there it adds half of such a step a number, or what it loses is the whole vector.
 *
 * @module
 */

import { assert } from "@std/assert/mod.js";
import {
  compress,
  type Compressor,
  decompress,
  isContractive,
  isUnbiased,
  parseCompressor,
} from "../../compressors/mod.ts";
import { fold, key } from "../../random.ts";
import { configurations } from "./everywhere/everywhere.ts";
import { gaussian, squaredNorm } from "./tools/draws.ts";

const LARGEST = 3.4028234663852886e38, STEP = 2 ** -149, DRAWS = 150, SIZES = [1, 2, 9, 61];
/** A mean of draws below `worst` is above its expectation by this part of `worst` with probability e⁻²⁰ (Hoeffding). */
const MARGIN = Math.sqrt(20 / (2 * DRAWS));

/** The squared error that is promised: the mean over draws, or each of them. And what it was; both over the squared norm. */
function errorOf(compressor: Compressor, vector: Float32Array): { promised: number; least: number } {
  const size = vector.length, norm = squaredNorm(vector);
  let mean = 0, worst = 0;
  for (let i = 0; i < DRAWS; i++) {
    const k = fold(key(17), i), decoded = decompress(compressor, compress(compressor, vector, k), k, size);
    assert(decoded.every(Number.isFinite), `decoded ${decoded.find((value) => !Number.isFinite(value))}`);
    const error = decoded.reduce((sum, value, j) => sum + (value - vector[j]!) ** 2, 0) / norm;
    mean += error / DRAWS, worst = Math.max(worst, error);
  }
  const everyDraw = isContractive(compressor) && compressor.everyDraw;
  const promised = isUnbiased(compressor)
    ? compressor.omega(size)
    : isContractive(compressor)
    ? compressor.alpha(size)
    : Infinity;
  return { promised, least: everyDraw ? worst : mean - MARGIN * worst };
}

const all = configurations.filter((text) => !text.startsWith("perTensor"));

/** Vectors with numbers at the end of the range, by kind. */
const large: Record<string, (size: number) => Float32Array> = {
  "all largest": (size) => new Float32Array(size).fill(LARGEST),
  "alternating": (size) => new Float32Array(size).map((_, i) => i % 2 === 0 ? LARGEST : -LARGEST),
  "one": (size) => new Float32Array(size).map((_, i) => i === size >> 1 ? -LARGEST : 0),
  "one beside small ones": (size) => gaussian(size).map((z, i) => i === 0 ? LARGEST : 1e35 * z),
  "of all sizes": (size) => gaussian(size).map((z, i) => [LARGEST, -LARGEST, z, STEP, -(2 ** -126)][i % 5]!),
};

for (const text of all) {
  Deno.test(`${text}: numbers up to the largest float32 are decoded to finite ones`, () => {
    const compressor = parseCompressor(text);
    for (const [kind, make] of Object.entries(large)) {
      for (const size of [1, 2, 7, 33, 61, 300]) {
        const vector = make(size);
        for (let i = 0; i < 10; i++) {
          const k = fold(key(18), i), decoded = decompress(compressor, compress(compressor, vector, k), k, size);
          assert(decoded.every(Number.isFinite), `${kind} of ${size}: ${decoded.find((v) => !Number.isFinite(v))}`);
        }
      }
    }
  });

  Deno.test(`${text}: the declared error holds up to (1 + ω) √d ‖x‖ = 2¹²⁷`, () => {
    const compressor = parseCompressor(text);
    for (const [kind, make] of Object.entries(large)) {
      for (const size of SIZES) {
        const vector = make(size), growth = isUnbiased(compressor) ? 1 + compressor.omega(size) : 1;
        const factor = 0.9999 * 2 ** 127 / (growth * Math.sqrt(size * squaredNorm(vector)));
        const { promised, least } = errorOf(compressor, vector.map((value) => value * factor));
        // The constants of eden and quicFl are their rotations' limits, met within 4 %.
        assert(least <= promised * 1.04 + 1e-9, `${kind} of ${size}: the error is ${least}, promised ${promised}`);
      }
    }
  });
}

for (const text of all) {
  Deno.test(`${text}: numbers below 2⁻¹²⁶ are decoded within the declared error and a step a number`, () => {
    const compressor = parseCompressor(text), step = text.startsWith("sparseDithering") ? 2 ** -126 : STEP;
    for (const size of SIZES) {
      for (const scale of [2 ** -126, 1e-41, STEP]) {
        for (const shape of [gaussian(size), new Float32Array(size).fill(1), new Float32Array(size).fill(1, 0, 1)]) {
          const vector = shape.map((value) => value * scale), norm = Math.sqrt(squaredNorm(vector));
          if (norm === 0) continue;
          const { promised, least } = errorOf(compressor, vector);
          const most = Math.sqrt(promised * 1.04) * norm + step * Math.sqrt(size);
          assert(
            Math.sqrt(Math.max(0, least)) * norm <= most,
            `${size} numbers of ${scale}: the error is ${Math.sqrt(least) * norm / STEP} steps, at most ${most / STEP}`,
          );
        }
      }
    }
  });
}
