/** Reading a checkpoint, as far as the file alone allows. @module */

import { show } from "../../../options.ts";
import { checkChecksum, FORMAT } from "../../files/checksum.ts";
import { readSafetensors, type Safetensors, type TensorNumbers } from "../../files/safetensors.ts";
import type { Layout, Vectors } from "../../methods/method.ts";
import type { OptimizerState, StateDigests } from "../optimizer_state.ts";
import type { Slots } from "../variables/slots.ts";
import type { StoredWeight } from "./stored_weights.ts";

/** The version of the layout of checkpoints, which FORMAT.md describes. */
export const VERSION = "2";

/** The arrays that hold the numbers of tfjs's types. */
const NUMBERS: Readonly<Record<string, new (length: number) => TensorNumbers>> = {
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
};

/** The contents of a checkpoint. */
export interface Checkpoint {
  /** All but the weights. */
  readonly state: OptimizerState;
  /** The weights in their order; empty if the file has none. */
  readonly weights: readonly StoredWeight[];
}

/**
 * Reads a checkpoint and checks its version and checksum, and that it holds the tensors that it names and no others.
 *
 * @throws {RangeError} if the file is not a checkpoint or a damaged one
 * @throws {Error} if it has another version
 */
export function readCheckpoint(file: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(file);
  const format = Object.hasOwn(metadata, "format") ? metadata["format"] : undefined;
  if (format !== FORMAT) throw new RangeError("Cannot restore: the file is not a checkpoint");
  if (metadata["version"] === "1") {
    throw new Error(
      "Cannot restore: the checkpoint has version 1, which has no checksum; expected 2. Restore it with the release that " +
        "wrote it (0.1.0), and from there save the weights, for instance by model.save",
    );
  }
  if (metadata["version"] !== VERSION) {
    throw new Error(
      `Cannot restore: the checkpoint has version ${show(metadata["version"])}, expected ${show(VERSION)}`,
    );
  }
  checkChecksum(file);
  return checkpointFrom(tensors, metadata);
}

/** @throws {RangeError} for metadata or tensors that no checkpoint has */
function checkpointFrom(tensors: Safetensors["tensors"], metadata: Safetensors["metadata"]): Checkpoint {
  const read = <T>(name: string, from: (text: string) => T, valid: (value: T) => boolean): T => {
    let value: T | undefined;
    try {
      value = from(metadata[name] ?? "");
      if (valid(value)) return value;
    } catch {
      // It is not JSON, or has another structure: refused below.
    }
    throw new RangeError(`Cannot restore: the checkpoint's ${name} is ${JSON.stringify(metadata[name])}`);
  };
  const integer = (name: string) => read(name, Number, (value) => Number.isSafeInteger(value) && value >= 0);
  const ofKind = (kind: string) =>
    Object.entries(tensors).filter(([name]) => name.startsWith(`${kind}/`))
      .map(([name, tensor]) => ({ ...tensor, name: name.slice(kind.length + 1) }));
  const vectors = (kind: string): Vectors =>
    Object.fromEntries(
      ofKind(kind).map(({ name, values }) => {
        if (values instanceof Int32Array) {
          throw new RangeError(`Cannot restore: ${kind}/${name} is of type I32, expected F32, F64 or U8`);
        }
        return [name, values];
      }),
    );
  const slots = () =>
    ofKind("slot").map(({ name, shape, values }) => {
      if (!(values instanceof Float32Array)) throw new RangeError(`Cannot restore: slot/${name} is not of type F32`);
      return { name, shape, values };
    });
  const inner = read("inner", innerFrom, ({ className, config, iterations, numbers = {} }) => {
    return typeof className === "string" && typeof config === "object" && config !== null &&
      Number.isSafeInteger(iterations) && iterations >= 0 &&
      Object.values(numbers).every((number) => typeof number === "number");
  });
  const layout = metadata["layout"] === undefined
    ? undefined
    : read("layout", layoutFrom, ({ names, shapes, size }) => {
      return names.length === shapes.length && Number.isSafeInteger(size);
    });
  const digests = read("digests", (text) => JSON.parse(text) as StateDigests, ({ common, weights }) => {
    return typeof common === "string" && typeof weights === "string";
  });
  const named = read("weights", (text) => JSON.parse(text) as StoredWeight[], (list) => {
    return Array.isArray(list) && list.every((weight) => typeof weight?.name === "string");
  });
  const weights = named.map(({ name, dtype }, i) => {
    const tensor = Object.hasOwn(tensors, `weight/${i}`) ? tensors[`weight/${i}`] : undefined;
    if (tensor === undefined) throw new RangeError(`Cannot restore: the checkpoint names weight ${i}, but lacks it`);
    if (!Object.hasOwn(NUMBERS, dtype) || !(tensor.values instanceof NUMBERS[dtype]!)) {
      throw new RangeError(
        `Cannot restore: weight ${i} (${name}) is ${show(dtype)}, but has a ${tensor.values.constructor.name}`,
      );
    }
    return { ...tensor, name, dtype };
  });
  const known = /^(local|shared|slot)\/|^weight\/(\d+)$/;
  for (const name of Object.keys(tensors)) {
    const [, kind, index] = known.exec(name) ?? [];
    if (kind === undefined && !(Number(index) < weights.length)) {
      throw new RangeError(`Cannot restore: the checkpoint has a tensor ${show(name)}, which no checkpoint has`);
    }
  }
  const state = {
    step: integer("step"),
    seed: integer("seed"),
    rank: integer("rank"),
    size: integer("size"),
    // Checkpoints from before the word `method` name it `reducer`.
    method: read(Object.hasOwn(metadata, "reducer") ? "reducer" : "method", String, (text) => text !== ""),
    layout,
    local: vectors("local"),
    shared: vectors("shared"),
    inner: { ...inner, slots: slots() },
    digests,
  };
  return { state, weights };
}

function innerFrom(text: string): Slots {
  const { numbers, ...inner } = JSON.parse(text) as Slots;
  if (numbers === undefined) return inner;
  // Numbers that JSON cannot hold are written as text.
  const odd: unknown[] = ["NaN", "Infinity", "-Infinity", "-0"];
  const read = Object.entries(numbers).map(([name, value]) => [name, odd.includes(value) ? Number(value) : value]);
  return { ...inner, numbers: Object.fromEntries(read) };
}

function layoutFrom(text: string): Layout {
  const { names, shapes } = JSON.parse(text) as Pick<Layout, "names" | "shapes">;
  return { names, shapes, size: shapes.reduce((size, shape) => size + shape.reduce((a, b) => a * b, 1), 0) };
}
