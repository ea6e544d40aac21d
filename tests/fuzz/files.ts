/** safetensors files, damaged in their bytes and in their header. @module */

import { readSafetensors, writeSafetensors } from "../../optimizers/mod.ts";
import { accepts, type Area, type Try } from "./area.ts";
import { damaged } from "./damage.ts";
import type { Draw } from "./draw.ts";

const good = [
  writeSafetensors({
    tensors: {
      w: { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
      c: { shape: [2], values: Float64Array.of(1, 2 ** 53) },
      i: { shape: [2], values: Int32Array.of(-1, 7) },
      b: { shape: [3], values: Uint8Array.of(1, 2, 3) },
      none: { shape: [0, 4], values: new Float32Array(0) },
    },
    metadata: { by: "fuzz", version: "1" },
  }),
  writeSafetensors({ tensors: {}, metadata: {} }),
];

const MEMBERS: readonly unknown[] = [
  ...[0, 1, 3, 24, -1, 0.5, 2 ** 31, 2 ** 53, 1e300, null, "", "F32", "I32", "U8", "F64", "I64", "BOOL", "x", true],
  ...[[], [0, 24], [24, 0], [0, 8], [0, 1e15], [2, 3], [3, 2], [0], [0, 0, 0], [65536, 65536, 65536, 65536], {}],
];
const NAMES = ["w", "i", "b", "none", "__metadata__", "__proto__", "constructor", "toString", "", "dtype", "shape"];

/** A file whose header says other things, as JSON. */
function otherHeader(file: Uint8Array, draw: Draw): Uint8Array {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  let text = new TextDecoder().decode(file.subarray(8, 8 + length)).trim();
  for (let faults = 1 + draw.below(2); faults > 0; faults--) {
    const parsed = JSON.parse(text) as Record<string, Record<string, unknown>>, name = draw.of(Object.keys(parsed));
    const member = draw.of(["dtype", "shape", "data_offsets", "more"]), value = draw.of(MEMBERS);
    const text2 = JSON.stringify(value);
    switch (draw.below(4)) {
      case 0:
        if (typeof parsed[name] === "object" && parsed[name] !== null) parsed[name]![member] = value;
        text = JSON.stringify(parsed);
        break;
      case 1: // a name once more, or another
        text = text.replace(/\}$/, `${text.length > 2 ? "," : ""}${JSON.stringify(draw.of(NAMES))}:${text2}}`);
        break;
      case 2:
        text = text.replace(
          /\}$/,
          `,"${draw.of(NAMES)}":{"dtype":"U8","shape":[1],"data_offsets":[${draw.below(9)},1]}}`,
        )
          .replace("{,", "{");
        break;
      default:
        delete parsed[name];
        text = JSON.stringify(parsed);
    }
  }
  const header = new TextEncoder().encode(text), rest = file.subarray(8 + length);
  const bytes = new Uint8Array(8 + header.length + rest.length);
  new DataView(bytes.buffer).setBigUint64(0, draw.once(9) ? 2n ** BigInt(draw.below(64)) : BigInt(header.length), true);
  bytes.set(header, 8), bytes.set(rest, 8 + header.length);
  return bytes;
}

const prepare = (): Try => (draw, note) => {
  const file = draw.of(good), bytes = draw.once(2) ? otherHeader(file, draw) : damaged(file, good[1]!, draw);
  note({ file: bytes });
  let read: ReturnType<typeof readSafetensors> | undefined;
  if (!accepts(() => void (read = readSafetensors(bytes)))) return false;
  for (const [name, { shape, values }] of Object.entries(read!.tensors)) {
    if (shape.reduce((product, length) => product * length, 1) !== values.length) throw new Error(`tensor ${name}`);
  }
  return true;
};

/** Files. */
export const files: Area = { name: "files", share: 4, prepare };
