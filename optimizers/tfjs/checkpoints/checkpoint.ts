/** A rank's replica in one safetensors file. @module */

import { canonical } from "../../../transport/handshake.ts";
import { FORMAT, NO_CHECKSUM, writeChecksum } from "../../files/checksum.ts";
import { type StoredTensor, type TensorNumbers, writeSafetensors } from "../../files/safetensors.ts";
import type { Vectors } from "../../methods/method.ts";
import type { DistributedOptimizer } from "../optimizer.ts";
import { stateDigests } from "../optimizer_state.ts";
import { variable } from "../variables/variables.ts";
import { requireWeights, variablesOf, type Weights } from "../variables/weights.ts";
import { type Checkpoint, readCheckpoint, VERSION } from "./read_checkpoint.ts";
import { requireOptimizer } from "./require.ts";
import { assignWeights, checkWeights } from "./stored_weights.ts";

/**
 * Writes all that this rank needs to go on later, to the last bit as if it had not stopped: the step and the seed, the
 * method's state of this rank (on rank 0 also the shared one), the inner optimizer's slots, and the weights if they are
 * given. Random keys are computed from (seed, step, rank), so there is no random generator to save. Every rank saves
 * its own file.
 *
 * @param weights the model, or its variables. With the model the file is complete and has BatchNorm's averages too
 * @returns a safetensors file; FORMAT.md describes its layout
 * @throws {Error} if a step is under way
 * @throws {TypeError} if an argument is not what it should be, or the inner optimizer keeps what a file cannot hold
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { average, DistributedOptimizer, restoreCheckpoint, saveCheckpoint } from "@gradwire/tfjs/optimizers";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const group = collective(memory(1)[0]!), x = tf.variable(tf.scalar(1)), loss = () => x.square().asScalar();
 * const make = () => new DistributedOptimizer(tf.train.adam(0.1), { method: average(), group });
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
  requireOptimizer("save a checkpoint", optimizer), requireWeights("save a checkpoint", weights);
  const state = optimizer.getState(), variables = variablesOf(weights), { layout, local, shared, inner } = state;
  const tensors: Record<string, StoredTensor> = {};
  const add = (kind: string, vectors: Vectors) => {
    for (const [name, values] of Object.entries(vectors)) {
      tensors[`${kind}/${name}`] = { shape: [values.length], values };
    }
  };
  add("local", local);
  if (state.rank === 0) add("shared", shared);
  for (const { name, shape, values } of inner.slots) tensors[`slot/${name}`] = { shape, values };
  variables.forEach((variable, i) => {
    tensors[`weight/${i}`] = { shape: variable.shape, values: variable.dataSync() as TensorNumbers };
  });
  const trained = layout?.names.map(variable).filter((variable) => variable !== undefined) ?? [];
  const metadata: Record<string, string> = {
    // First in the file, so that it always has the same place.
    checksum: NO_CHECKSUM,
    format: FORMAT,
    version: VERSION,
    step: `${state.step}`,
    seed: `${state.seed}`,
    rank: `${state.rank}`,
    size: `${state.size}`,
    method: state.method,
    inner: canonical({ ...inner, slots: undefined }),
    digests: JSON.stringify(stateDigests(state, trained)),
    weights: JSON.stringify(variables.map(({ name, dtype }) => ({ name, dtype }))),
  };
  if (layout) metadata["layout"] = JSON.stringify({ names: layout.names, shapes: layout.shapes });
  return writeChecksum(writeSafetensors({ tensors, metadata }));
}

/**
 * Restores what {@linkcode saveCheckpoint} wrote: the optimizer, and the weights if they are given. All ranks must
 * restore before their next step, each its own file of the same step.
 *
 * @param file the bytes of the file
 * @param weights the model, or its variables, as they were given to `saveCheckpoint`
 * @throws {RangeError} if the file is not a checkpoint, or a damaged one
 * @throws {Error} if the version, rank, size, seed, method and its options, inner optimizer, layout or weights differ;
 *   the message names the first that does. Nothing has been changed then
 * @throws {TypeError} if an argument is not what it should be
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { average, DistributedOptimizer, restoreCheckpoint, saveCheckpoint } from "@gradwire/tfjs/optimizers";
 * import { alone } from "@gradwire/tfjs/transport";
 * const make = (inner: tf.Optimizer) => new DistributedOptimizer(inner, { method: average(), group: alone() });
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
  requireOptimizer("restore a checkpoint", optimizer), requireWeights("restore a checkpoint", weights);
  prepareRestore(optimizer, readCheckpoint(file), weights)();
}

/**
 * Compares a checkpoint with the optimizer and the weights that it is to be restored into.
 *
 * @returns a function that restores the checkpoint
 * @throws {Error} that names the first difference
 */
export function prepareRestore(
  optimizer: DistributedOptimizer,
  { state, weights: stored }: Checkpoint,
  weights: Weights,
): () => void {
  const variables = variablesOf(weights);
  if (variables.length > 0) checkWeights(stored, variables);
  optimizer.checkState(state);
  return () => {
    optimizer.setState(state, variables);
    assignWeights(stored, variables);
  };
}
