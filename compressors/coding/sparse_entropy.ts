/** The entropy code of sparse dithering. @module */

import type { Key } from "../../random.ts";
import { readScale } from "./floats.ts";
import type { Compressor } from "../compressor.ts";
import { RangeDecoder, RangeEncoder } from "./range_coder.ts";
import { DitherCoder, ditherModel } from "./dither_coder.ts";
import { sumOfSquares } from "../kernels/sums.ts";
import { BLOCK, PathMemory, trellis } from "./trellis.ts";
import { readLogScale, sentLogScale, writeLogScale } from "./log_scale.ts";
import { clampFloat32 } from "../kernels/float32.ts";
import { writeNorm } from "./norm.ts";
import { refuse, requireLength } from "./refuse.ts";

/** How the levels are found and coded. */
export interface EntropyCode {
  readonly nu: number;
  /** The step for a vector as it is to be sent in float32, not above 2 ‖x‖ √(ν / d); 0 for zero vectors. */
  step(promised: number): number;
  /** Rounds to signed levels those numbers that are not 0; returns how many. */
  round(vector: Float32Array, step: number, most: number, key: Key): {
    readonly positions: Uint32Array;
    readonly levels: Int32Array;
    readonly count: number;
  };
  readonly scale: "float32" | "log";
  /** Whether levels are decoded to the mean of their numbers. */
  readonly centroids: boolean;
  /** Weight of bits against squared error in units of 2 ln 2 times the error of a fine trellis; 0: plain rounding. */
  readonly rateDistortion: number;
}

const NAME = "sparseDithering", LEVELS = 2 ** 28;
/** Where centroids differ: integers of magnitude 1, 2, 3 and more, in half steps. */
const MAGNITUDES = 4;
const plain = trellis(1), joint = trellis(8);

/** What {@link Compressor} asks for, but for the name, for levels in an entropy code. */
export function entropyCoded(
  code: EntropyCode,
): Pick<Compressor, "maxByteLength" | "encode" | "decodeAdd"> {
  const { nu, centroids } = code, slope = code.rateDistortion * 2 * Math.LN2 * joint.limit;
  const ofPlain = new DitherCoder(plain, ditherModel(plain, nu * plain.limit, false));
  const ofJoint = new DitherCoder(joint, ditherModel(joint, nu * joint.limit, false));
  // The coder is that of subtractive dithering with a dither of 0.
  const still = new Uint16Array(BLOCK), values = new Float64Array(BLOCK), integers = new Int32Array(BLOCK);
  const memory = new PathMemory(slope > 0 ? joint : plain);
  const offsets = new Float64Array(MAGNITUDES), counts = new Float64Array(MAGNITUDES);

  const maxByteLength = (size: number) => {
    // Without models a level costs Elias gamma of twice its steps, whose mean square the norm bounds.
    const each = 2 * Math.log2(1 / Math.sqrt(nu) + 4) + 1;
    return size === 0 ? 0 : 20 + Math.ceil(size * (each / 8 + 2 ** -10));
  };

  /** Codes all blocks, each filled into `integers`; returns the end, or −1 where there is no room. */
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
      coder.encode(encoder, still, integers, count);
    }
    if (coder === ofJoint) encoder.raw(coder.state, joint.bits);
    return encoder.position < room ? encoder.finish() : -1;
  }

  /** Learns how far numbers lie from the integers they became, towards 0; returns the squared error. */
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
        // ν ‖x‖², the promise, is as many squares of half the promised step as there are numbers.
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
        coder.decode(decoder, still, 0, values, count);
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
