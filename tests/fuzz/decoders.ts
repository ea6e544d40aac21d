/**
 * The decoder of every compressor on damaged messages: it refuses in words, or adds finite numbers, and writes nowhere else;
 * a byte too many or too few at the end is never passed over.
 *
 * @module
 */

import {
  bucketed,
  compress,
  type Compressor,
  describe,
  parseCompressor,
  perTensor,
  qsgd,
  topK,
} from "../../compressors/mod.ts";
import { fold, key } from "../../random.ts";
import { adversarialVector } from "../../testing/mod.ts";
import { configurations } from "../compressors/everywhere/everywhere.ts";
import { accepts, type Area, type Try } from "./area.ts";
import { damaged } from "./damage.ts";
import type { Draw } from "./draw.ts";

const SIZES = [0, 1, 2, 3, 7, 8, 9, 16, 33, 61];
const KINDS = ["gaussian", "lognormal", "heavySparse", "allEqual", "oneHot", "ties", "zeros", "subnormal", "largest"];
const SCALES = [1, -1, 0.25, 1e-3, 0];
/** Beside those of every factory: compressors in one another. */
const NESTED = [
  'rotated(bucketed(dithering({ levels: 3, coding: "entropy" }), 5))',
  "contractive(induced(topK({ k: 3 }), naturalCompression))",
  "compose(blockwiseInt8({ block: 4 }), topK({ ratio: 0.3 }))",
  "repeated(bucketed(sparseDithering, 8), 2)",
  'bucketed(sparseDithering({ rounding: "nearest", scale: "log" }), 20)',
];

/** An encoded vector. */
interface Golden {
  readonly message: Uint8Array;
  readonly size: number;
  readonly decoded: Float32Array;
}

const KEY = key(11);

function goldenOf(compressor: Compressor, sizes: readonly number[]): Golden[] {
  return sizes.flatMap((size) =>
    KINDS.map((kind) => {
      const message = compress(compressor, adversarialVector(kind, size), KEY).slice();
      const decoded = new Float32Array(size);
      compressor.decodeAdd(message, KEY, 1, decoded);
      return { message, size, decoded };
    })
  );
}

function prepare(): Try {
  const layout = { names: ["a", "b"], shapes: [[6, 8], [13]], size: 61 };
  const all = [...configurations.filter((text) => !text.startsWith("perTensor")), ...NESTED].map(parseCompressor);
  const entries = all.map((compressor) => ({ compressor, golden: goldenOf(compressor, SIZES) }));
  for (const part of [bucketed(qsgd({ levels: 4 }), 10), topK({ k: 4 })] as Compressor[]) {
    const compressor = perTensor(layout, () => part);
    entries.push({ compressor, golden: goldenOf(compressor, [61]) });
  }
  const room = new Float32Array(80), once = new Float32Array(80);

  /** A byte too many, or too few, is refused or gives other numbers. */
  function tryEnd(compressor: Compressor, { message, size, decoded }: Golden, draw: Draw, note: (x: unknown) => void) {
    const longer = draw.once(2), bytes = longer ? new Uint8Array(message.length + 1) : message.subarray(0, -1);
    if (longer) bytes.set(message), bytes[message.length] = draw.once(2) ? 0 : draw.word();
    note({ compressor: describe(compressor), size, message: bytes });
    const into = once.subarray(0, size).fill(0);
    const accepted = accepts(() => compressor.decodeAdd(bytes, KEY, 1, into));
    if (accepted && (longer || message.length > 0) && into.every((value, i) => value === decoded[i])) {
      throw new Error(longer ? "a spare byte is passed over" : "a missing byte is passed over");
    }
    return accepted;
  }

  return (draw, note) => {
    const { compressor, golden } = draw.of(entries), own = draw.of(golden);
    // Of few numbers two forms of a code may stand for the same values.
    if (own.size >= 16 && draw.once(4)) return tryEnd(compressor, own, draw, note);
    const message = damaged(own.message, draw.of(golden).message, draw), scale = draw.of(SCALES);
    // perTensor is for one size alone.
    const size = draw.once(10) ? draw.of(SIZES) : own.size, k = draw.once(8) ? fold(KEY, draw.below(9)) : KEY;
    note({ compressor: describe(compressor), size, key: k, scale, message });
    room.fill(1);
    const accepted = accepts(() => compressor.decodeAdd(message, k, scale, room.subarray(4, 4 + size)));
    for (let i = 0; i < room.length; i++) {
      const inside = 4 <= i && i < 4 + size, value = room[i]!;
      if (!inside ? value !== 1 : accepted && (!Number.isFinite(value) || (scale === 0 && value !== 1))) {
        throw new Error(`number ${i - 4} of ${size} became ${value}`);
      }
    }
    return accepted;
  };
}

/** Decoders of compressors. */
export const decoders: Area = { name: "decoders", share: 55, prepare };
