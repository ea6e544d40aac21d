import { checkOptions, show } from "../../options.ts";
import { BitReader, BitWriter } from "../coding/bits.ts";
import { refuse, requireLength, requirePadding } from "../coding/refuse.ts";
import { MAX_FLOAT32 } from "../kernels/float32.ts";
import type { Compressor, ContractiveCompressor } from "../compressor.ts";
import { decodeIndexSet, encodeIndexSet } from "../coding/index_set.ts";
import { gatherFloats, scatterFloats } from "../kernels/gather_floats.ts";
import { sumOfSquares } from "../kernels/sums.ts";
import { scratch } from "../kernels/scratch.ts";

/**
 * The threshold τ of {@linkcode threshold}, above 0 and finite: `tau` itself, or `relative` times the root mean square ‖x‖ / √d
 * of d numbers.
 */
export type ThresholdOptions = { readonly tau: number } | { readonly relative: number };

const indicesOf = scratch(Uint32Array);

/**
 * Keeps the numbers of magnitude at least τ, and at least the largest one; the others become 0.
 *
 * With `values: "tau"` and `tau`, the numbers kept are sent as ± τ ("2-bit compression" in MXNet), and none where all are below.
 * Nothing bounds the error relative to ‖x‖ then, so that no α is declared and methods that need one refuse the compressor. With
 * error feedback no more than τ of each number leaves the memory in a step, so that τ must be about as large as the numbers of the
 * gradient.
 *
 * - Guarantee: contractive, ‖C(x) − x‖² ≤ α ‖x‖² in every draw, with α = 1 − 1/d for d numbers, and at most c² where `relative` is c.
 * - Message: how many numbers are kept, their indices, and 32 bits for each, or a sign with "tau".
 * - Memory: 4 bytes a number.
 * - Source: Strom: "Scalable distributed DNN training using commodity GPU cloud computing", Interspeech 2015; Dryden, Moon,
 *   Jacobs, Van Essen, MLHPC 2016.
 * - Choose it where how much is sent is to follow the gradient.
 *
 * @throws {RangeError} unless tau or relative is a finite number above 0
 *
 * @example
 * ```ts
 * import { compress, decompress, key, threshold } from "@gradwire/tfjs";
 * const c = threshold({ tau: 2.5 }), message = compress(c, Float32Array.of(1, -2, 3, -4), key(1));
 * console.assert(decompress(c, message, key(1), 4).join() === "0,0,3,-4");
 * ```
 */
export function threshold(
  options: ThresholdOptions & { readonly values?: "exact" },
): ContractiveCompressor;
/** Numbers are sent as ± τ: nothing bounds the error. */
export function threshold(options: { readonly tau: number; readonly values: "tau" }): Compressor;
export function threshold(
  given: ThresholdOptions & { readonly values?: "exact" | "tau" },
): Compressor {
  const { values = "exact", ...options } = checkOptions("make threshold", given, ["tau", "relative", "values"]);
  const { tau, relative } = options as { tau?: number; relative?: number }, bound = (tau ?? relative)!;
  if (
    !(typeof bound === "number" && bound > 0 && bound < MAX_FLOAT32) || (tau !== undefined && relative !== undefined)
  ) {
    throw new RangeError(
      `Cannot make threshold: tau is ${show(tau)} and relative is ${
        show(relative)
      }, expected one finite number above 0`,
    );
  }
  if (values !== "exact" && !(values === "tau" && tau !== undefined)) {
    throw new RangeError(`Cannot make threshold: values is ${show(values)}, expected "exact", or "tau" beside tau`);
  }
  const exact = values === "exact", width = (size: number) => 32 - Math.clz32(size), unit = Math.fround(tau ?? 1);
  const compressor: Compressor = {
    name: "threshold",
    options: exact ? { ...options } : { ...options, values },
    maxByteLength: (size) => Math.ceil((width(size) + 2 + (exact ? 1 : 2) * size) / 8) + (exact ? 4 * size : 0),
    encode(vector, _key, message) {
      const size = vector.length, indices = indicesOf(size);
      const least = tau ?? relative! * Math.sqrt(sumOfSquares(vector) / size);
      let count = 0, top = 0;
      for (let i = 0; i < size; i++) {
        const magnitude = Math.abs(vector[i]!);
        if (magnitude > Math.abs(vector[top]!)) top = i;
        indices[count] = i;
        count += magnitude >= least && magnitude > 0 ? 1 : 0;
      }
      if (count === 0 && exact && size > 0 && vector[top] !== 0) indices[count++] = top;
      const writer = new BitWriter(message);
      writer.write(count, width(size));
      const { position } = writer;
      writer.finish();
      writer.seek(encodeIndexSet(indices, count, size, message, position));
      if (!exact) { for (let j = 0; j < count; j++) writer.write(vector[indices[j]!]! < 0 ? 1 : 0, 1); }
      const end = writer.finish();
      return exact ? gatherFloats(vector, indices, count, message, end) : end;
    },
    decodeAdd(message, _key, scale, into) {
      const size = into.length, reader = new BitReader(message), count = reader.read(width(size));
      if (count > size) refuse("threshold", `it keeps ${count} numbers, expected at most ${size}`);
      const indices = indicesOf(count);
      reader.seek(decodeIndexSet(message, reader.position, count, size, indices));
      if (!exact) {
        for (let j = 0; j < count; j++) into[indices[j]!]! += scale * (reader.read(1) === 1 ? -unit : unit);
      }
      const at = (reader.position + 7) >>> 3;
      requirePadding("threshold", message, reader.position);
      requireLength("threshold", message, at + (exact ? 4 * count : 0));
      if (!exact) return;
      const most = scatterFloats(message, at, indices, count, scale, into);
      if (!Number.isFinite(most)) refuse("threshold", `a value is ${most}, expected a finite number`);
    },
  };
  if (!exact) return compressor;
  const alpha = (size: number) => size === 0 ? 0 : Math.min(1 - 1 / size, relative === undefined ? 1 : relative ** 2);
  const contractive: ContractiveCompressor = { ...compressor, alpha, everyDraw: true };
  return contractive;
}
