/** Public functions beside the factories: calls in which one value or two are not what is asked for. @module */

import { compress, decompress, doubleSampling, identity, parseCompressor } from "../../compressors/mod.ts";
import {
  logistic,
  parseMethod,
  quadratic,
  readLibsvm,
  readSafetensors,
  ridge,
  shard,
  shardIndices,
  writeSafetensors,
} from "../../optimizers/mod.ts";
import { choose, key } from "../../random.ts";
import { adversarialVector } from "../../testing/mod.ts";
import { collective, memory } from "../../transport/mod.ts";
import { accepts, type Area, type Try } from "./area.ts";
import type { Draw } from "./draw.ts";
import { anyValue } from "./values.ts";

const rows = readLibsvm("1 1:1 2:2\n-1 1:3\n1 2:1\n-1 3:1\n"),
  place = { rank: 0, size: 2 },
  x = Float32Array.of(1, 2, 3);
const tensors = { w: { shape: [3], values: x } };

/** Good calls. */
const calls: readonly (readonly [call: (...values: never[]) => unknown, ...values: unknown[]])[] = [
  [key, 7],
  [choose, key(1), 3, 9],
  [adversarialVector, "ramp", 4, 1],
  [memory, 2],
  [collective, memory(1)[0], { timeout: 1000, maxMessageBytes: 100 }],
  [shard, [1, 2, 3, 4], place, { shuffle: true, seed: 1 }],
  [shardIndices, 9, place, { shuffle: false }],
  [quadratic, [{ a: [[1, 0], [0, 2]], b: [1, 2] }]],
  [ridge, rows, { lambda: 0.1, ranks: 2 }],
  [logistic, rows, { lambda: 0.1, ranks: 2 }],
  [readLibsvm, "1 1:2\n", { features: 3 }],
  [writeSafetensors, { tensors, metadata: { by: "fuzz" } }],
  [readSafetensors, writeSafetensors({ tensors, metadata: {} })],
  [compress, identity(), x, key(1), new Uint8Array(12)],
  [decompress, identity(), new Uint8Array(12), key(1), 3],
  [doubleSampling, identity(), { row: x, target: 1, at: x }, key(1)],
  [parseCompressor, "identity"],
  [parseMethod, "average(identity)"],
];

/** Large counts are right, and take their time and memory: they are left out. */
function modest(value: unknown): unknown {
  return typeof value === "number" && value > 1e3 && value < 2 ** 32 ? 1e3 : value;
}

/** The same, with another value in it somewhere. */
function altered(value: unknown, draw: Draw): unknown {
  const inside = typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && !("encode" in value) &&
    !("send" in value);
  if (!inside || draw.once(3)) return modest(anyValue(draw, 1, false));
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  const names = Object.keys(copy), name = draw.once(5) || names.length === 0 ? "more" : draw.of(names);
  copy[name] = altered(copy[name], draw);
  return copy;
}

const prepare = (): Try => (draw, note) => {
  const [call, ...values] = draw.of(calls), left = draw.once(9) ? draw.below(values.length + 1) : values.length;
  const at = draw.below(values.length), changed = values.map((value, i) => i === at ? altered(value, draw) : value);
  note({ call: call.name, values: changed.slice(0, left) });
  return accepts(() => void (call as (...values: unknown[]) => unknown)(...changed.slice(0, left)));
};

/** Calls of functions. */
export const functions: Area = { name: "functions", share: 4, prepare };
