/** A compressor that takes note of what it does, for figures of a whole run. @module */

import { type Compressor, isContractive, isUnbiased } from "../../mod.ts";

/** Sums over the messages of a run. */
export interface Observation {
  messages: number;
  bytes: number;
  /** Of ‖C(x) − x‖² / ‖x‖². */
  error: number;
  milliseconds: number;
}

/** The compressor itself, which adds to the observation with every message of a vector that is not 0. */
export function observe<C extends Compressor>(compressor: C, into: Observation): C {
  let decoded = new Float32Array(0);
  return {
    ...compressor,
    encode(vector, key, message) {
      const start = performance.now(), length = compressor.encode(vector, key, message);
      const milliseconds = performance.now() - start, norm = vector.reduce((sum, v) => sum + v * v, 0);
      if (norm === 0) return length;
      if (decoded.length === vector.length) decoded.fill(0);
      else decoded = new Float32Array(vector.length);
      compressor.decodeAdd(message.subarray(0, length), key, 1, decoded);
      into.messages++, into.bytes += length, into.milliseconds += milliseconds;
      into.error += decoded.reduce((sum, v, i) => sum + (v - vector[i]!) ** 2, 0) / norm;
      return length;
    },
  };
}

/** The mean α of the messages: their error, divided by (1 + error) where the compressor is unbiased. */
export function alphaOf(compressor: Compressor, { error, messages }: Observation): number {
  const mean = error / messages;
  return isUnbiased(compressor) && !isContractive(compressor) ? mean / (1 + mean) : mean;
}
