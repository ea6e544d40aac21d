/**
 * The entropy code of sparse dithering. The integers that are coded are levels in half steps. Rounded each by itself they are
 * even; rounded jointly they are a path of a trellis of 8 states, half of which take even integers and half odd ones.
 *
 * | bytes                  | if                  | content                                                        |
 * | ---------------------- | ------------------- | -------------------------------------------------------------- |
 * | step                   | size > 0            | a float32, or a scale of a byte where `scale` is "log"         |
 * | 4 centroids            | step > 0, centroids | 128 + 128 · offset for the magnitudes 1, 2, 3, and 4 or more   |
 * | a range coder's stream | step > 0            | see below                                                      |
 *
 * The stream is a bit that is 1 if integers are coded without models; where `rateDistortion` is above 0 a bit that is 1 if
 * they were rounded jointly; the integers; and, if they were rounded jointly, the last state of their path.
 *
 * @module
 */

import { DitherCoder } from "../../coding/dither_coder.ts";
import { ditherModel } from "../../coding/dither_model.ts";
import { readScale, writeFloat } from "../../coding/floats.ts";
import { readLogScale, writeLogScale } from "../../coding/log_scale.ts";
import { RangeDecoder, RangeEncoder } from "../../coding/range_coder.ts";
import { refuse, requireLength } from "../../coding/refuse.ts";
import { BLOCK, PathMemory, trellis } from "../../coding/trellis.ts";
import type { Compressor } from "../../compressor.ts";
import { clampFloat32 } from "../../kernels/float32.ts";
import { limitOf, promisedStep, roundLevels, sentStep, type SparseRounding } from "./sparse_rounding.ts";

/** What the entropy code must know in addition; see the options of `sparseDithering`. */
interface SparseEntropy extends SparseRounding {
  readonly centroids: boolean;
  readonly rateDistortion: number;
}

const NAME = "sparseDithering";
/** The largest level: the coder takes integers up to twice that. */
const LEVELS = 2 ** 28;
/** Integers have centroids of their own by magnitude: 1, 2, 3, and 4 or more. */
const MAGNITUDES = 4;
const plain = trellis(1), joint = trellis(8);

/** The functions of a compressor that sends levels in the entropy code. */
export function entropyCode(code: SparseEntropy): Pick<Compressor, "maxByteLength" | "encode" | "decodeAdd"> {
  const { nu, centroids } = code, log = code.scale === "log";
  // Squared error per bit, in squared half steps. The limit of a trellis is its mean squared error on numbers that are far
  // larger than the step; 2 ln 2 times that is the slope of the rate–distortion curve.
  const slope = code.rateDistortion * 2 * Math.LN2 * joint.limit;
  const ofPlain = new DitherCoder(plain, ditherModel(plain, nu * plain.limit, false));
  const ofJoint = new DitherCoder(joint, ditherModel(joint, nu * joint.limit, false));
  // The coder is that of subtractive dithering, here with a dither of 0.
  const noDither = new Uint16Array(BLOCK), values = new Float64Array(BLOCK), integers = new Int32Array(BLOCK);
  const memory = new PathMemory(slope > 0 ? joint : plain);
  // For the integers of each magnitude: the sum of how far they lie beyond their numbers, and how many there are.
  const offsets = new Float64Array(MAGNITUDES), counts = new Float64Array(MAGNITUDES);

  const maxByteLength = (size: number) => {
    // Without models an integer is sent as Elias gamma of about twice its magnitude; the norm bounds the mean square.
    const each = 2 * Math.log2(1 / Math.sqrt(nu) + 4) + 1;
    return size === 0 ? 0 : 20 + Math.ceil(size * (each / 8 + 2 ** -10));
  };

  /** Codes the vector block by block, each of which `fill` puts into `integers`. Returns the end, or −1 where there is no room. */
  function write(
    size: number,
    message: Uint8Array,
    at: number,
    coder: DitherCoder,
    raw: boolean,
    fill: (from: number, count: number) => void,
  ): number {
    const encoder = new RangeEncoder(message, at), room = maxByteLength(size);
    encoder.raw(raw ? 1 : 0, 1);
    if (slope > 0) encoder.raw(coder === ofJoint ? 1 : 0, 1);
    coder.reset(raw, LEVELS);
    for (let from = 0; from < size && encoder.position < room; from += BLOCK) {
      const count = Math.min(BLOCK, size - from);
      fill(from, count);
      coder.encode(encoder, noDither, integers, count);
    }
    if (coder === ofJoint) encoder.raw(coder.state, joint.bits);
    return encoder.position < room ? encoder.finish() : -1;
  }

  /** Adds a block to `offsets` and `counts`, and returns its squared error in units of `unit`, a half step. */
  function measure(vector: Float32Array, from: number, count: number, unit: number): number {
    let error = 0;
    for (let i = 0; i < count; i++) {
      const z = integers[i]!, off = z - vector[from + i]! / unit;
      error += off * off;
      if (z !== 0) {
        const m = Math.min(MAGNITUDES, Math.abs(z)) - 1;
        offsets[m]! += z > 0 ? off : -off, counts[m]!++;
      }
    }
    return error;
  }

  return {
    maxByteLength,
    encode(vector, key, message) {
      const size = vector.length;
      if (size === 0) return 0;
      const promised = promisedStep(vector, code), step = sentStep(promised, code), unit = step / 2;
      const header = log ? writeLogScale(step, message) : writeFloat(step, message, 0);
      const start = header + (centroids ? MAGNITUDES : 0);
      if (step === 0) return header;
      let end = -1, error = 0;
      const forget = () => (offsets.fill(0), counts.fill(0), error = 0);
      if (slope > 0) {
        forget();
        end = write(size, message, start, ofJoint, false, (from, count) => {
          for (let i = 0; i < count; i++) values[i] = vector[from + i]! / unit;
          ofJoint.choose(values, count, slope, integers, memory);
          error += measure(vector, from, count, unit);
        });
        // The error must not exceed ν ‖x‖², which is d times the square of half the promised step.
        if (error > size * (promised / step) ** 2) end = -1;
      }
      if (end < 0) {
        const rounded = roundLevels(vector, step, Math.min(LEVELS, limitOf(step)), code, key);
        for (const raw of [false, true]) {
          let next = 0;
          forget();
          end = write(size, message, start, ofPlain, raw, (from, count) => {
            integers.fill(0, 0, count);
            for (; next < rounded.count && rounded.positions[next]! < from + count; next++) {
              integers[rounded.positions[next]! - from] = 2 * rounded.levels[next]!;
            }
            if (centroids) measure(vector, from, count, unit);
          });
          if (end >= 0) break;
        }
      }
      if (centroids) {
        for (let m = 0; m < MAGNITUDES; m++) {
          const mean = counts[m]! > 0 ? offsets[m]! / counts[m]! : 0;
          message[header + m] = 128 + Math.max(-128, Math.min(127, Math.round(128 * mean)));
        }
      }
      return end;
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length;
      if (size === 0) return requireLength(NAME, message, 0, 0);
      const { value: step, end: header } = log
        ? readLogScale(NAME, message)
        : { value: readScale(NAME, message, 0), end: 4 };
      if (step === 0) return requireLength(NAME, message, header, size);
      const start = header + (centroids ? MAGNITUDES : 0), unit = step / 2;
      if (message.length < start) refuse(NAME, `the message has ${message.length} bytes, expected at least ${start}`);
      for (let m = 0; m < MAGNITUDES; m++) offsets[m] = centroids ? (message[header + m]! - 128) / 128 : 0;
      const decoder = new RangeDecoder(message, start), raw = decoder.raw(1) === 1;
      const coder = slope > 0 && decoder.raw(1) === 1 ? ofJoint : ofPlain;
      coder.reset(raw, LEVELS);
      for (let from = 0; from < size; from += BLOCK) {
        const count = Math.min(BLOCK, size - from);
        coder.decode(decoder, noDither, 0, values, count);
        for (let i = 0; i < count; i++) {
          const z = values[i]!;
          if (z === 0) continue;
          const magnitude = Math.abs(z), value = (magnitude - offsets[Math.min(MAGNITUDES, magnitude) - 1]!) * unit;
          into[from + i]! += scale * clampFloat32(z > 0 ? value : -value);
        }
      }
      const state = coder === ofJoint ? decoder.raw(joint.bits) : 0;
      if (state !== coder.state) refuse(NAME, `the path ends in state ${coder.state}, expected ${state}`);
      decoder.end();
    },
  };
}
