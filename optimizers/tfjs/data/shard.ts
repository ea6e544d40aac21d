/** Each rank's equal part of the data. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { checkBoolean, checkInteger, checkOptions } from "../../../options.ts";
import { bits, fold, type Key } from "../../../random.ts";
import { keyFor, rowsKey } from "../../methods/keys.ts";
import type { Dataset, Tensor } from "../variables/tfjs.ts";
import { noteData } from "./note_data.ts";
import {
  isDataset,
  type Place,
  requirePlace,
  requireRows,
  requireShardable,
  rowsOf,
  select,
  type Shardable,
} from "./shardable.ts";

/** The options of {@linkcode shard}, which must be equal on all ranks. */
export interface ShardOptions {
  /** The seed of the order: a safe integer ≥ 0. Default 0. */
  readonly seed?: number;
  /** The epoch whose order is wanted; for a dataset, the epoch of its first iteration. Default 0. */
  readonly epoch?: number;
  /** Whether to shuffle. Default true. Without it rows keep their order. */
  readonly shuffle?: boolean;
  /** For datasets: how many elements a rank holds to draw its next one from, at least 1. Default 1024. */
  readonly buffer?: number;
}

/**
 * Gives this rank its equal part of the data, in an order that depends only on the seed and the epoch. The parts of all
 * ranks are disjoint and have the same length, ⌊rows / size⌋. Fewer than `size` rows are left over, others in each
 * epoch.
 *
 * - Tensors, arrays and typed arrays, or records of them whose members have the same length: returns this rank's rows
 *   in the same structure. New tensors are yours to dispose of.
 * - A `tf.data.Dataset`: returns a dataset of this rank's elements, shuffled anew at every iteration, and hence at
 *   every epoch of `fitDataset`. Every rank reads all elements and drops those of the others, so the dataset itself
 *   must not be shuffled.
 *
 * All ranks must give the same rows in the same order; if each has shuffled them by `Math.random`, the parts overlap.
 * Where `place` is the group itself, its optimizers compare the data before their next step (256 of the rows, the seed
 * and the epoch), and all ranks refuse the step if they differ. All ranks must therefore call `shard` between the same
 * two steps. The elements of a dataset are not compared.
 *
 * @param data the rows that all ranks have, in the same order
 * @param place the group, or a rank and a size
 * @returns this rank's part, in the structure of the data
 * @throws {RangeError} if the members of a record differ in length, there are fewer rows than ranks, or an option is
 *   out of range
 * @throws {TypeError} if there are no rows in the data, or an option is unknown
 *
 * @example
 * ```ts
 * import { shard } from "@gradwire/tfjs/optimizers";
 * const letters = ["a", "b", "c", "d", "e"];
 * const parts = [0, 1].map((rank) => shard(letters, { rank, size: 2 }, { seed: 7 }));
 * console.assert(parts.every((part) => part.length === 2) && new Set(parts.flat()).size === 4);
 * ```
 */
export function shard<T extends Shardable>(data: T, place: Place, options: ShardOptions = {}): T {
  requirePlace(place), requireShardable(data, isDataset);
  checkOptions("share out the data", options, ["seed", "epoch", "shuffle", "buffer"]);
  const { seed = 0, epoch = 0, shuffle = true, buffer = 1024 } = options;
  checkOrder({ seed, epoch, shuffle }), checkInteger("share out the data", "buffer", buffer, 1);
  if (isDataset(data)) return shardDataset(data, place, { seed, epoch, shuffle, buffer }) as unknown as T;
  const whole = data as Exclude<Shardable, Dataset>, rows = rowsOf(whole);
  requireRows(rows, place);
  noteData(whole, rows, place, { seed, epoch, shuffle });
  return select(whole, shardIndices(rows, place, { seed, epoch, shuffle })) as T;
}

/**
 * Computes which rows are this rank's in an epoch: the indices of the rows that {@linkcode shard} returns.
 *
 * @param length how many rows there are, below 2³¹
 * @returns ⌊length / size⌋ indices
 * @throws {RangeError} if the length or an option is out of range
 * @throws {TypeError} if an option is unknown
 *
 * @example
 * ```ts
 * import { shardIndices } from "@gradwire/tfjs/optimizers";
 * console.assert(shardIndices(7, { rank: 1, size: 3 }, { shuffle: false }).join() === "1,4");
 * ```
 */
export function shardIndices(
  length: number,
  place: Place,
  options: Omit<ShardOptions, "buffer"> = {},
): Int32Array {
  requirePlace(place);
  checkOptions("share out the data", options, ["seed", "epoch", "shuffle"]);
  const { seed = 0, epoch = 0, shuffle = true } = options;
  checkInteger("share out the data", "length", length, 0), checkOrder({ seed, epoch, shuffle });
  if (length >= 2 ** 31) {
    throw new RangeError(`Cannot share out the data: length is ${length}, expected less than 2³¹ rows`);
  }
  const { rank, size } = place, order = new Int32Array(length).map((_, i) => i);
  if (shuffle) permute(order, rowsKey(seed, epoch));
  return new Int32Array(Math.floor(length / size)).map((_, i) => order[rank + i * size]!);
}

/** The options of {@linkcode shardBatches}, which must be equal on all ranks. */
export interface ShardBatchesOptions extends Omit<ShardOptions, "buffer"> {
  /** How many rows a batch of this rank has. The last batch of an epoch may be smaller. */
  readonly batchSize: number;
}

/**
 * Makes a dataset for `fitDataset`: this rank's batches of tensors that are held in memory, shuffled anew at every
 * epoch. It does what `fit(xs, ys, { batchSize })` does on one machine, in an order that can be reproduced. The ranks'
 * batches are disjoint, and all ranks get equally many batches of equal sizes.
 *
 * @param data the tensors that all ranks have, by name; their rows are in the same order on all ranks
 * @param place the group, or a rank and a size
 * @throws {RangeError} if the tensors differ in length, there are fewer rows than ranks, or an option is out of range
 * @throws {TypeError} if there are no rows in the data, or an option is unknown
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { shardBatches } from "@gradwire/tfjs/optimizers";
 * const data = { xs: tf.range(0, 8), ys: tf.range(0, 8) };
 * const batches = shardBatches(data, { rank: 0, size: 2 }, { batchSize: 2, seed: 1 });
 * const sizes: number[] = [];
 * await batches.forEachAsync((batch) => void sizes.push((batch as typeof data).xs.size));
 * console.assert(sizes.join() === "2,2");
 * // await model.fitDataset(batches, { epochs: 5 });
 * ```
 */
export function shardBatches<T extends { readonly [name: string]: Tensor }>(
  data: T,
  place: Place,
  options: ShardBatchesOptions,
): Dataset {
  requirePlace(place), requireShardable(data);
  const known = ["batchSize", "seed", "epoch", "shuffle"];
  const { batchSize, epoch = 0, ...rest } = checkOptions("share out the data", options, known),
    { seed = 0, shuffle = true } = rest;
  checkInteger("share out the data", "batchSize", batchSize, 1), checkOrder({ seed, epoch, shuffle });
  const rows = rowsOf(data);
  requireRows(rows, place);
  noteData(data, rows, place, { ...rest, epoch });
  let iteration = 0;
  return tf.data.generator(function* () {
    const indices = shardIndices(rows, place, { ...rest, epoch: epoch + iteration++ });
    for (let at = 0; at < indices.length; at += batchSize) {
      yield select(data, indices.subarray(at, at + batchSize)) as tf.TensorContainerObject;
    }
  });
}

/**
 * Takes every `size` elements in turn and gives one to each rank. Each rank keeps its elements in a buffer and yields
 * random ones of them.
 */
function shardDataset(
  dataset: Dataset,
  { rank, size }: Place,
  { seed, epoch, shuffle, buffer }: Required<ShardOptions>,
): Dataset {
  let iteration = 0;
  const own = async function* (turning: Key) {
    const source = await dataset.iterator(), turns = new Int32Array(size);
    for (let group = 0;; group++) {
      turns.forEach((_, i) => turns[i] = i);
      if (shuffle) permute(turns, fold(turning, group));
      let mine: tf.TensorContainer | undefined;
      for (let i = 0; i < size; i++) {
        const { value, done } = await source.next();
        if (done) {
          if (mine !== undefined) tf.dispose(mine);
          if (group === 0) requireRows(i, { rank, size });
          return;
        }
        if (turns[i] === rank) mine = value;
        else tf.dispose(value);
      }
      yield mine!;
    }
  };
  const elements = async function* () {
    const key = rowsKey(seed, epoch + iteration++), draws = fold(keyFor(key, "draws"), rank), word = new Uint32Array(2);
    const held: tf.TensorContainer[] = [];
    let drawn = 0;
    const draw = () => {
      const i = shuffle ? below(bits(draws, word, 2 * drawn++)[0]!, held.length) : 0;
      if (!shuffle) return held.shift()!;
      const element = held[i]!, last = held.pop()!;
      if (i < held.length) held[i] = last;
      return element;
    };
    try {
      for await (const element of own(keyFor(key, "turns"))) {
        held.push(element);
        if (held.length >= (shuffle ? buffer : 1)) yield draw();
      }
      while (held.length > 0) yield draw();
    } finally {
      tf.dispose(held);
    }
  };
  // tfjs takes asynchronous generators, but some versions do not declare so.
  return tf.data.generator(elements as unknown as () => Iterator<tf.TensorContainer>);
}

/** Fisher and Yates's shuffle. */
function permute(order: Int32Array, key: Key): void {
  const words = bits(key, new Uint32Array(order.length));
  for (let i = order.length - 1; i > 0; i--) {
    const j = below(words[i]!, i + 1), old = order[i]!;
    order[i] = order[j]!, order[j] = old;
  }
}

/** An integer in [0, count) from 32 random bits. */
function below(word: number, count: number): number {
  return Math.floor(word * 2 ** -32 * count);
}

function checkOrder({ seed, epoch, shuffle }: Required<Omit<ShardOptions, "buffer">>): void {
  checkInteger("share out the data", "seed", seed, 0), checkInteger("share out the data", "epoch", epoch, 0);
  checkBoolean("share out the data", "shuffle", shuffle);
}
