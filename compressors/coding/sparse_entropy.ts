/**
 * The entropy code of sparse dithering: the numbers of a vector, rounded to levels (multiples of a step), are coded as the
 * integers of a trellis without dither. It is what sparseDithering does where `coding` is "entropy".
 *
 * | bytes                  | if                  |                                                                |
 * | ---------------------- | ------------------- | -------------------------------------------------------------- |
 * | step                   | size > 0            | a float32, or a scale of a byte where `scale` is "log"         |
 * | 4 centroids            | step > 0, centroids | 128 + 128 · offset of the magnitudes 1, 2, 3 and more          |
 * | a range coder's stream | step > 0            | see below                                                      |
 *
 * The stream is a bit that is 1 if integers are coded without models; where `rateDistortion` is above 0 a bit that is 1 if
 * they were chosen together, on a trellis of 8 states; the integers; and in that case the trellis' last state.
 *
 * @module
 */

import type { Key } from "../../random.ts";
import { readScale } from "./floats.ts";
import { RangeDecoder, RangeEncoder } from "./range_coder.ts";
import { DitherCoder } from "./dither_coder.ts";
import { ditherModel } from "./dither_model.ts";
import { sumOfSquares } from "../kernels/sums.ts";
import { BLOCK, PathMemory, trellis } from "./trellis.ts";
import { readLogScale, sentLogScale, writeLogScale } from "./log_scale.ts";
import { clampFloat32 } from "../kernels/float32.ts";
import { writeNorm } from "./norm.ts";
import { refuse, requireLength } from "./refuse.ts";

/** How levels are found and coded. */
interface EntropyCode {
  /** ν: the squared error is to be at most ν times the squared norm of the vector. */
  readonly nu: number;
  /** The step to be sent in float32, at most the promised one, which is 2 ‖x‖ √(ν / d); 0 for a zero vector. */
  step(promised: number): number;
  /** Rounds to signed levels of at most `most`; returns those that are not 0, their positions and their count. */
  round(vector: Float32Array, step: number, most: number, key: Key): {
    readonly positions: Uint32Array;
    readonly levels: Int32Array;
    readonly count: number;
  };
  /** How the step is sent. */
  readonly scale: "float32" | "log";
  /** Whether a level is decoded to the mean of the numbers that were rounded to it. */
  readonly centroids: boolean;
  /**
   * λ of rate–distortion optimised rounding; 0 rounds each number by itself. 1 is the slope of the ideal rate–distortion
   * curve, on which one bit more lowers the squared error by 2 ln 2 times that error; larger values send fewer bits.
   */
  readonly rateDistortion: number;
}

const NAME = "sparseDithering";
/** No level is larger. */
const LEVELS = 2 ** 28;
/** There are centroids for the integers of magnitude 1, 2 and 3, in half steps, and one for all larger ones. */
const MAGNITUDES = 4;
const plain = trellis(1), joint = trellis(8);

/** The functions of a compressor that sends levels in the entropy code. */
interface EntropyCoded {
  maxByteLength(size: number): number;
  encode(vector: Float32Array, key: Key, message: Uint8Array): number;
  decodeAdd(message: Uint8Array, key: Key, scale: number, into: Float32Array): void;
}

/** Makes the functions of a compressor that sends levels in the entropy code. */
export function entropyCoded(code: EntropyCode): EntropyCoded {
  const { nu, centroids } = code, slope = code.rateDistortion * 2 * Math.LN2 * joint.limit;
  const ofPlain = new DitherCoder(plain, ditherModel(plain, nu * plain.limit, false));
  const ofJoint = new DitherCoder(joint, ditherModel(joint, nu * joint.limit, false));
  // The coder is that of subtractive dithering, with a dither of 0.
  const noDither = new Uint16Array(BLOCK), values = new Float64Array(BLOCK), integers = new Int32Array(BLOCK);
  const memory = new PathMemory(slope > 0 ? joint : plain);
  const offsets = new Float64Array(MAGNITUDES), counts = new Float64Array(MAGNITUDES);

  const maxByteLength = (size: number) => {
    // Without models an integer is sent as Elias gamma of about twice its magnitude; the norm bounds the mean square.
    const each = 2 * Math.log2(1 / Math.sqrt(nu) + 4) + 1;
    return size === 0 ? 0 : 20 + Math.ceil(size * (each / 8 + 2 ** -10));
  };

  /** Codes all blocks, which `fill` puts into `integers`. Returns the end, or −1 if the message has no room. */
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

  /** Adds to the centroids how far numbers lie below the magnitudes they were rounded to; returns the squared error. */
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
      const promised = 2 * Math.sqrt(nu * sumOfSquares(vector) / size);
      const exact = code.step(promised), step = code.scale === "log" ? sentLogScale(exact) : exact, unit = step / 2;
      if (code.scale === "float32") writeNorm(step, message);
      const header = code.scale === "log" ? writeLogScale(step, message) : 4,
        start = header + (centroids ? MAGNITUDES : 0);
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
        // The promised error ν ‖x‖² is `size` times the square of half the promised step.
        if (error > size * (promised / step) ** 2) end = -1;
      }
      if (end < 0) {
        const { positions, levels, count: some } = code.round(vector, step, LEVELS, key);
        for (const raw of [false, true]) {
          let next = 0;
          forget();
          end = write(size, message, start, ofPlain, raw, (from, count) => {
            integers.fill(0, 0, count);
            for (; next < some && positions[next]! < from + count; next++) {
              integers[positions[next]! - from] = 2 * levels[next]!;
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
      const { value: step, end: header } = code.scale === "log"
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
