import { requireCompressor } from "../check.ts";
import { type Layout, requireLayout, sizeOf, type TensorOfLayout } from "../layout.ts";
import { fold } from "../../random.ts";
import {
  type Compressor,
  type ContractiveCompressor,
  isContractive,
  isUnbiased,
  type UnbiasedCompressor,
} from "../compressor.ts";
import { Frames } from "../coding/frames.ts";
import { identity } from "../identity.ts";
import { refuse } from "../coding/refuse.ts";

/** Tensors of fewer numbers, and those of less than two dimensions, are sent as they are by default. */
const SMALL = 1024;

/**
 * A compressor for each tensor of a layout.
 *
 * `choose` is a function that returns it. Or it is a compressor for all tensors but those below 1024 numbers or of fewer than two
 * dimensions, such as biases and scales, which are sent as they are. Keys are folded with the number of the tensor. It serves only
 * vectors of layout.size numbers.
 *
 * - Guarantee: unbiased, or contractive, where all tensors' compressors are, with the largest ω or α of the tensors.
 * - Message: those of the tensors, and where lengths differ a byte or two each for the lengths.
 * - Choose it where tensors differ in size or shape: small ones cost little as they are.
 *
 * @throws {RangeError} if the shapes do not add up to layout.size, and by its methods for vectors of another length
 *
 * @example
 * ```ts
 * import { perTensor, scaledSign } from "@gradwire/tfjs";
 * const layout = { names: ["kernel", "bias"], shapes: [[64, 32], [32]], size: 2080 };
 * const compressor = perTensor(layout, scaledSign());
 * console.assert(compressor.maxByteLength(2080) === 4 + 2048 / 8 + 4 * 32 + 2);
 * ```
 */
export function perTensor<C extends Compressor>(
  layout: Layout,
  choose: C | ((tensor: TensorOfLayout) => C),
): C extends UnbiasedCompressor & ContractiveCompressor ? UnbiasedCompressor & ContractiveCompressor
  : C extends UnbiasedCompressor ? UnbiasedCompressor
  : C extends ContractiveCompressor ? ContractiveCompressor
  : Compressor;
export function perTensor(
  layout: Layout,
  choose: Compressor | ((tensor: TensorOfLayout) => Compressor),
): Compressor {
  requireLayout("make perTensor", layout);
  if (typeof choose !== "function") requireCompressor("make perTensor", choose);
  const sizes = layout.shapes.map(sizeOf), total = layout.size;
  const starts: number[] = [];
  sizes.reduce((start, size) => (starts.push(start), start + size), 0);
  const compressors = sizes.map((size, index): Compressor => {
    const shape = layout.shapes[index]!, name = layout.names[index]!;
    if (typeof choose !== "function") return size < SMALL || shape.length < 2 ? identity() : choose;
    const compressor = choose({ name, shape, size, index });
    requireCompressor("make perTensor", compressor);
    return compressor;
  });
  const frames = new Frames("perTensor"), count = sizes.length;
  const most = (i: number) => compressors[i]!.maxByteLength(sizes[i]!);
  const part = (vector: Float32Array, i: number) => vector.subarray(starts[i], starts[i]! + sizes[i]!);
  const checked = (size: number) => {
    if (size !== total) throw new RangeError(`Cannot use perTensor: the vector has ${size} numbers, expected ${total}`);
  };
  const largest = (constant: (i: number) => number) => (size: number) => {
    checked(size);
    return sizes.reduce((most, size, i) => size === 0 ? most : Math.max(most, constant(i)), 0);
  };
  const base: Compressor = {
    name: "perTensor",
    options: { sizes: sizes.join(), tensors: layout.names.join() },
    parts: compressors,
    ...compressors.every(({ lossless }) => lossless) ? { lossless: true } : {},
    maxByteLength(size) {
      checked(size);
      return frames.maxByteLength(count, sizes.reduce((sum, _, i) => sum + most(i), 0));
    },
    encode(vector, key, message) {
      checked(vector.length);
      return frames.encode(
        message,
        count,
        most,
        (i, bytes) => compressors[i]!.encode(part(vector, i), fold(key, i), bytes),
      );
    },
    decodeAdd(message, key, scale, into) {
      if (into.length !== total) refuse("perTensor", `the vector has ${into.length} numbers, expected ${total}`);
      frames.decode(
        message,
        count,
        most,
        (i, bytes) => compressors[i]!.decodeAdd(bytes, fold(key, i), scale, part(into, i)),
      );
    },
  };
  return {
    ...base,
    ...(compressors.every(isUnbiased)
      ? { omega: largest((i) => (compressors[i] as UnbiasedCompressor).omega(sizes[i]!)) }
      : {}),
    ...(compressors.every(isContractive)
      ? {
        alpha: largest((i) => (compressors[i] as ContractiveCompressor).alpha(sizes[i]!)),
        everyDraw: compressors.every((c) => (c as ContractiveCompressor).everyDraw),
      }
      : {}),
  };
}
