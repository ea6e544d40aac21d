/** A rank's state in one safetensors file. @module */

import * as tf from "@tensorflow/tfjs";
import { layoutDigest } from "./bucket.ts";
import type { DistributedOptimizer } from "./distributed.ts";
import type { Layout, Vectors } from "./reducer.ts";
import {
  readSafetensors,
  type Safetensors,
  type StoredTensor,
  type TensorNumbers,
  writeSafetensors,
} from "./safetensors.ts";
import type { OptimizerState } from "./state.ts";
import type { Slots } from "./slots.ts";
import { variablesOf, type Weights } from "./weights.ts";

/** The version of the layout of checkpoints; see FORMAT.md. */
const VERSION = "1";

/**
 * All that this rank needs to go on later as if it had not stopped, to the last bit: the step and the seed, the
 * reducer's own state (and on rank 0 the shared one), the inner optimizer's slots, and the weights if they are given.
 * Random keys are folded from (seed, step, rank), so there is no generator to save. Every rank saves its own file.
 *
 * @param weights the model, or its variables: with them the file is complete, BatchNorm's averages included
 * @returns a safetensors file, layout in FORMAT.md
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { average, DistributedOptimizer, restoreCheckpoint, saveCheckpoint } from "@gradwire/tfjs/optimizers";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const group = collective(memory(1)[0]!), x = tf.variable(tf.scalar(1)), loss = () => x.square().asScalar();
 * const make = () => new DistributedOptimizer(tf.train.adam(0.1), { reducer: average(), group });
 * const first = make();
 * await first.minimizeAsync(loss, false, [x]);
 * const file = saveCheckpoint(first, [x]);
 * const second = make();
 * restoreCheckpoint(second, file, [x]);
 * console.assert(second.iterations === 1);
 * await group[Symbol.asyncDispose]();
 * ```
 */
export function saveCheckpoint(optimizer: DistributedOptimizer, weights: Weights = []): Uint8Array {
  const { layout, local, shared, inner, ...facts } = optimizer.getState();
  const tensors: Record<string, StoredTensor> = {};
  const add = (kind: string, vectors: Vectors) => {
    for (const [name, values] of Object.entries(vectors)) {
      tensors[`${kind}/${name}`] = { shape: [values.length], values };
    }
  };
  add("local", local);
  if (facts.rank === 0) add("shared", shared);
  for (const { name, shape, values } of inner.slots) tensors[`slot/${name}`] = { shape, values };
  variablesOf(weights).forEach((variable, i) => {
    tensors[`weight/${i}`] = { shape: variable.shape, values: variable.dataSync() as TensorNumbers };
  });
  const metadata: Record<string, string> = {
    format: "gradwire checkpoint",
    version: VERSION,
    step: `${facts.step}`,
    seed: `${facts.seed}`,
    rank: `${facts.rank}`,
    size: `${facts.size}`,
    reducer: facts.reducer,
    inner: JSON.stringify({ className: inner.className, config: inner.config, iterations: inner.iterations }),
  };
  if (layout) {
    metadata["layout"] = JSON.stringify({ names: layout.names, shapes: layout.shapes });
    metadata["layoutDigest"] = layoutDigest(layout);
  }
  return writeSafetensors({ tensors, metadata });
}

/**
 * Gives an optimizer (and the weights, if they are given) the state that {@linkcode saveCheckpoint} wrote. All ranks
 * must restore before their next step, each its own file of the same step.
 *
 * @throws {RangeError} if it is not such a file, or a damaged one
 * @throws {Error} if the version, rank, size, seed, reducer and its options, inner optimizer, layout or weights differ;
 *   the message names the first that does. Nothing has been changed then
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { average, DistributedOptimizer, restoreCheckpoint, saveCheckpoint } from "@gradwire/tfjs/optimizers";
 * import { alone } from "@gradwire/tfjs/transport";
 * const make = (inner: tf.Optimizer) => new DistributedOptimizer(inner, { reducer: average(), group: alone() });
 * const file = saveCheckpoint(make(tf.train.adam(0.1)));
 * restoreCheckpoint(make(tf.train.adam(0.1)), file);
 * try {
 *   restoreCheckpoint(make(tf.train.sgd(0.1)), file);
 * } catch (error) {
 *   console.assert((error as Error).message.endsWith("its class is Adam in the checkpoint, SGD here"));
 * }
 * ```
 */
export function restoreCheckpoint(optimizer: DistributedOptimizer, file: Uint8Array, weights: Weights = []): void {
  const { tensors, metadata } = readSafetensors(file);
  if (metadata["format"] !== "gradwire checkpoint") {
    throw new RangeError("Cannot restore: the file is not a checkpoint");
  }
  if (metadata["version"] !== VERSION) {
    throw new Error(`Cannot restore: the checkpoint has version ${metadata["version"]}, expected ${VERSION}`);
  }
  const variables = variablesOf(weights), values = variables.map((_, i) => tensors[`weight/${i}`]);
  variables.forEach(({ shape, name }, i) => {
    if (String(values[i]?.shape) !== String(shape)) {
      throw new Error(
        `Cannot restore: weight ${i} (${name}) is ${describe(values[i])} in the checkpoint, [${shape}] here`,
      );
    }
  });
  optimizer.setState(stateFrom(tensors, metadata));
  variables.forEach((variable, i) => {
    tf.tidy(() => variable.assign(tf.tensor(values[i]!.values, variable.shape, variable.dtype)));
  });
}

/** Throws a RangeError for metadata that no checkpoint has. */
function stateFrom(tensors: Safetensors["tensors"], metadata: Safetensors["metadata"]): OptimizerState {
  const read = <T>(name: string, from: (text: string) => T, valid: (value: T) => boolean): T => {
    let value: T | undefined;
    try {
      value = from(metadata[name] ?? "");
      if (valid(value)) return value;
    } catch {
      // Not JSON, or not of the structure: refused below.
    }
    throw new RangeError(`Cannot restore: the checkpoint's ${name} is ${JSON.stringify(metadata[name])}`);
  };
  const integer = (name: string) => read(name, Number, (value) => Number.isSafeInteger(value) && value >= 0);
  const named = (kind: string) =>
    Object.entries(tensors).filter(([name]) => name.startsWith(`${kind}/`))
      .map(([name, tensor]) => ({ ...tensor, name: name.slice(kind.length + 1) }));
  const vectors = (kind: string): Vectors =>
    Object.fromEntries(
      named(kind).map(({ name, values }) => {
        if (values instanceof Int32Array) {
          throw new RangeError(`Cannot restore: ${kind}/${name} is of type I32, expected F32, F64 or U8`);
        }
        return [name, values];
      }),
    );
  const slots = () =>
    named("slot").map(({ name, shape, values }) => {
      if (!(values instanceof Float32Array)) throw new RangeError(`Cannot restore: slot/${name} is not of type F32`);
      return { name, shape, values };
    });
  const inner = read("inner", (text) => JSON.parse(text) as Slots, ({ className, config, iterations }) => {
    return typeof className === "string" && typeof config === "object" && config !== null && iterations >= 0;
  });
  const layout = metadata["layout"] === undefined ? undefined : read("layout", layoutFrom, (layout) => {
    return layout.names.length === layout.shapes.length && layoutDigest(layout) === metadata["layoutDigest"];
  });
  return {
    step: integer("step"),
    seed: integer("seed"),
    rank: integer("rank"),
    size: integer("size"),
    reducer: read("reducer", String, (text) => text !== ""),
    layout,
    local: vectors("local"),
    shared: vectors("shared"),
    inner: { ...inner, slots: slots() },
  };
}

function layoutFrom(text: string): Layout {
  const { names, shapes } = JSON.parse(text) as Pick<Layout, "names" | "shapes">;
  return { names, shapes, size: shapes.reduce((size, shape) => size + shape.reduce((a, b) => a * b, 1), 0) };
}

function describe(tensor: StoredTensor | undefined): string {
  return tensor ? `[${tensor.shape}]` : "absent";
}
