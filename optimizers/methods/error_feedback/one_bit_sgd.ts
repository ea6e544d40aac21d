import { compress } from "../../../compressors/compress.ts";
import type { Compressor } from "../../../compressors/compressor.ts";
import { oneBit } from "../../../compressors/quantizers/one_bit.ts";
import { checkInteger, checkOptions } from "../../../options.ts";
import type { Layout, Method, State } from "../method.ts";
import { bothWays, type TwoWayState, twoWayState } from "./bidirectional.ts";

/** Options of {@linkcode oneBitSgd}. */
export interface OneBitSgdOptions {
  /** Columns are taken together until they hold so many numbers, for their means cost 8 bytes. Default 256. */
  readonly block?: number;
}

/**
 * 1-bit SGD: one bit a number each way, with two means for each column of a weight matrix, and error feedback where it is
 * quantised: at each rank and again at the rank that aggregates a stripe.
 *
 * ```text
 * vᵢ = gᵢ + (γ₋/γ) eᵢ;  send C(vᵢ), stripe by stripe;  eᵢ ← vᵢ − C(vᵢ)
 * s = (1/n) Σ C(vᵢ) + (γ₋/γ) e;  send C(s);  e ← s − C(s)         each stripe on the rank that serves it
 * C: a number becomes the mean of its column's numbers of its sign
 * g ← C(s)                                                        x ← x − γ g
 * ```
 *
 * A column is the weights to all outputs from one input, which lie together in tfjs.
 *
 * - Compressor: its own, `oneBit` by columns.
 * - Memory: (1 + 1/n) vectors a rank. Messages per step: one all-to-all and one all-gather.
 * - Step size: that of SGD. Its authors begin without quantisation: `warmup(oneBitSgd(), { steps })`; and scale by AdaGrad
 *   after aggregation: the inner optimizer.
 * - Source: Seide, Fu, Droppo, Li, Yu: "1-bit stochastic gradient descent", Interspeech 2014.
 * - Choose it as the classic baseline; `distEf` is close to it with momentum.
 *
 * @throws {RangeError} if `block` is not an integer ≥ 1
 *
 * @example
 * ```ts
 * import { minimise, oneBitSgd, quadratic } from "@gradwire/tfjs/optimizers";
 * const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }, { a: [[2, 0], [0, 1]], b: [-1, 0] }]);
 * console.assert(minimise(problem, oneBitSgd(), { rounds: 2000, step: .02, error: 1e-2 }).reached);
 * ```
 */
export function oneBitSgd(options: OneBitSgdOptions = {}): Method {
  const { block = 256 } = checkOptions("make oneBitSgd", options, ["block"]);
  checkInteger("make oneBitSgd", "block", block, 1);
  return {
    name: "oneBitSgd",
    options: { block },
    init(layout, ranks = 1): State {
      const { local, shared } = twoWayState(layout.size, ranks);
      return { local, shared: { ...shared, blocks: blocksOf(layout, block) } };
    },
    *reduce(gradient, state, context) {
      const blocks = state.shared.blocks as Float64Array;
      yield* bothWays(
        "oneBitSgd",
        gradient,
        state as TwoWayState,
        (start) => byColumns(blocks, start),
        context,
        context.learningRate,
      );
    },
  };
}

/** For each tensor: how many numbers it has, and how many of them, whole columns, share their means. */
function blocksOf({ shapes }: Layout, least: number): Float64Array {
  return Float64Array.from(shapes.flatMap((shape) => {
    const size = shape.reduce((product, length) => product * length, 1), width = Math.max(1, shape.at(-1) ?? 1);
    return [size, Math.ceil(least / width) * width];
  }));
}

const quantiser = oneBit();

/** One-bit quantisation of the numbers from `start` on, each block of columns (or what lies of it in the stripe) alone. */
function byColumns(blocks: Float64Array, start: number): Compressor {
  /** The blocks in start .. start + size, as positions in the stripe. */
  function* parts(size: number): Generator<[from: number, to: number]> {
    for (let t = 0, tensor = 0; t < blocks.length; tensor += blocks[t]!, t += 2) {
      const length = blocks[t]!, run = blocks[t + 1]!;
      const first = Math.max(0, start - tensor), last = Math.min(length, start + size - tensor);
      for (let from = first; from < last;) {
        const to = Math.min(last, (Math.floor(from / run) + 1) * run);
        yield [tensor + from - start, tensor + to - start];
        from = to;
      }
    }
  }
  return {
    name: "oneBit by columns",
    options: {},
    maxByteLength(size) {
      let bytes = 0;
      for (const [from, to] of parts(size)) bytes += quantiser.maxByteLength(to - from);
      return bytes;
    },
    encode(vector, key, message) {
      let at = 0;
      for (const [from, to] of parts(vector.length)) {
        at += compress(quantiser, vector.subarray(from, to), key, message.subarray(at)).length;
      }
      return at;
    },
    decodeAdd(message, key, scale, into) {
      let at = 0;
      for (const [from, to] of parts(into.length)) {
        const next = at + quantiser.maxByteLength(to - from);
        quantiser.decodeAdd(message.subarray(at, next), key, scale, into.subarray(from, to));
        at = next;
      }
      if (at !== message.length) {
        throw new RangeError(`Cannot decode oneBitSgd: the message has ${message.length} bytes, expected ${at}`);
      }
    },
  };
}
