/** Each rank's equal part of the data. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { checkBoolean, checkInteger, checkOptions } from "../../../options.ts";
import { canonical } from "../../../transport/handshake.ts";
import { type Digest, digest } from "../../files/digest.ts";
import { noteShare } from "../agreement/sharded.ts";
import { requirePlace, requireRows, requireShardable } from "./shardable.ts";
import type { Dataset, Tensor } from "../variables/tfjs.ts";
import { bits, fold, type Key } from "../../../random.ts";
import { keyFor, rowsKey } from "../../methods/keys.ts";

/** A rank and the number of ranks: any group is one. */
export interface Place {
  /** 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks share the data. */
  readonly size: number;
}

/** Options of {@linkcode shard}. All ranks must pass the same. */
export interface ShardOptions {
  /** Where the order comes from. Default 0. */
  readonly seed?: number;
  /** The epoch whose order it is, or for a dataset that of its first iteration. Default 0. */
  readonly epoch?: number;
  /** Whether to shuffle. Default true; else the order is that of the data. */
  readonly shuffle?: boolean;
  /** For datasets: how many of its own elements a rank holds to draw the next from. Default 1024. */
  readonly buffer?: number;
}

/** DataRows: a tensor, an array or a typed array. */
export type DataRows = Tensor | readonly unknown[] | Float32Array | Int32Array | Uint8Array;

/** What can be shared out: rows, several of the same length under names, or a dataset. */
export type Shardable = DataRows | { readonly [name: string]: DataRows } | Dataset;

/**
 * This rank's equal part of the data, in an order that only (seed, epoch) decide: the parts of all ranks are disjoint
 * and of the same length, ⌊rows / size⌋. The rows left over (fewer than `size`) differ from epoch to epoch.
 *
 * - Tensors, arrays and typed arrays, or records of them (rows that belong together have the same length): the same
 *   structure with this rank's rows, as of `epoch`. New tensors are yours to dispose of.
 * - A `tf.data.Dataset`: a dataset of this rank's elements, reshuffled at every iteration, that is at every epoch of
 *   `fitDataset`. Every rank reads all elements in the same order and drops the others', so shuffle it here and
 *   nowhere else.
 *
 * If the ranks' rows are not the same in the same order (shuffled by `Math.random`, say), their parts overlap. Where `place`
 * is the group itself, the optimizers over it compare the data before their next step, and all ranks refuse it by name: 256
 * of the rows, the seed and the epoch. All ranks must therefore share out between the same two steps. A dataset's elements
 * are not known beforehand and are not compared.
 *
 * @param data what all ranks have, in the same order
 * @param place the group, or another source of rank and size, which is taken at its word
 * @throws {RangeError} if the lengths of the rows differ or an option is out of range
 * @throws {TypeError} if an option is unknown
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
  requireRows(length(data), place);
  note(data, length(data), place, { seed, epoch, shuffle });
  const indices = shardIndices(length(data), place, { seed, epoch, shuffle });
  return select(data as DataRows | Record<string, DataRows>, indices) as T;
}

/**
 * The rows that are this rank's in an epoch.
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

/** Options of {@linkcode shardBatches}. */
export interface ShardBatchesOptions extends Omit<ShardOptions, "buffer"> {
  /** DataRows per batch of this rank; the last batch of an epoch may be smaller. */
  readonly batchSize: number;
}

/**
 * A dataset for `fitDataset` of this rank's batches of tensors held in memory, reshuffled at every epoch: what
 * `fit(xs, ys, { batchSize })` does on one machine, with an order that is reproducible and disjoint among ranks.
 * All ranks get equally many batches of equal size.
 *
 * @throws {RangeError} if the tensors differ in length or an option is out of range
 * @throws {TypeError} if an option is unknown
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
  const rows = length(data);
  requireRows(rows, place);
  note(data, rows, place, { ...rest, epoch });
  let iteration = 0;
  return tf.data.generator(function* () {
    const indices = shardIndices(rows, place, { ...rest, epoch: epoch + iteration++ });
    for (let at = 0; at < indices.length; at += batchSize) {
      yield select(data, indices.subarray(at, at + batchSize)) as tf.TensorContainerObject;
    }
  });
}

/** Of every `size` elements in a row each rank gets one, and draws the next from a buffer of its own. */
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
  // Some versions of tfjs take asynchronous generators but do not declare so.
  return tf.data.generator(elements as unknown as () => Iterator<tf.TensorContainer>);
}

/** So many rows are compared among ranks, evenly spread: where the data were shuffled differently, some of them differ. */
const compared = 256;

/**
 * Remembers, for a group, what was shared out: the ranks of its optimizers compare it before their next step. A digest of
 * 256 rows takes less than a millisecond, however many there are.
 */
function note(data: Shardable, rows: number, place: Place, options: object): void {
  if (!("perform" in place) || place.size === 1) return;
  const picked = new Int32Array(Math.min(rows, compared)).map((_, i) =>
    Math.floor(i * rows / Math.min(rows, compared))
  );
  const sum = digest().text(canonical(options));
  addRows(sum, select(data as DataRows | Record<string, DataRows>, picked), true);
  noteShare(place, `${rows} rows, ${sum.hex()}`);
}

/** Mixes rows into a digest: numbers and texts as they are, of anything else only what it is. */
function addRows(sum: Digest, rows: unknown, own = false): void {
  if (rows instanceof tf.Tensor) {
    const { buffer, byteOffset, byteLength } = rows.dtype === "string"
      ? new TextEncoder().encode(JSON.stringify(rows.arraySync()))
      : rows.dataSync();
    sum.text(`${rows.dtype} [${rows.shape}]`).bytes(new Uint8Array(buffer, byteOffset, byteLength));
    if (own) rows.dispose();
  } else if (ArrayBuffer.isView(rows)) {
    sum.text(rows.constructor.name).bytes(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength));
  } else if (Array.isArray(rows)) {
    sum.text(`${rows.length}`);
    for (const row of rows) addRows(sum, row);
  } else if (
    typeof rows === "object" && rows !== null && [Object.prototype, null].includes(Object.getPrototypeOf(rows))
  ) {
    for (const [name, value] of Object.entries(rows)) sum.text(name), addRows(sum, value, own);
  } else {
    sum.text(typeof rows === "object" || typeof rows === "function" ? typeof rows : String(rows));
  }
}

/** Fisher and Yates's shuffle. */
function permute(order: Int32Array, key: Key): void {
  const words = bits(key, new Uint32Array(order.length));
  for (let i = order.length - 1; i > 0; i--) {
    const j = below(words[i]!, i + 1), old = order[i]!;
    order[i] = order[j]!, order[j] = old;
  }
}

/** An integer below `count` from 32 random bits. */
function below(word: number, count: number): number {
  return Math.floor(word * 2 ** -32 * count);
}

function isDataset(data: Shardable): data is Dataset {
  return typeof (data as { iterator?: unknown } | undefined)?.iterator === "function" && "forEachAsync" in data;
}

function isRows(data: unknown): data is DataRows {
  return data instanceof tf.Tensor || Array.isArray(data) || ArrayBuffer.isView(data);
}

function length(data: Shardable): number {
  if (isRows(data)) return data instanceof tf.Tensor ? data.shape[0] ?? 0 : data.length;
  const lengths = Object.entries(data as Record<string, DataRows>).map(([name, rows]) => [name, length(rows)] as const);
  const [first, ...others] = lengths, odd = others.find(([, length]) => length !== first![1]);
  if (odd) {
    throw new RangeError(`Cannot share out the data: ${first![0]} has ${first![1]} rows, ${odd[0]} has ${odd[1]}`);
  }
  return first?.[1] ?? 0;
}

function select(data: DataRows | Record<string, DataRows>, indices: Int32Array): unknown {
  if (data instanceof tf.Tensor) return tf.tidy(() => tf.gather(data, tf.tensor1d(indices.slice(), "int32")));
  if (Array.isArray(data)) return Array.from(indices, (i) => data[i]);
  if (ArrayBuffer.isView(data)) {
    const rows = data as Float32Array;
    return rows.slice(0, indices.length).map((_, i) => rows[indices[i]!]!);
  }
  return Object.fromEntries(
    Object.entries(data as Record<string, DataRows>).map(([name, rows]) => [name, select(rows, indices)]),
  );
}

function checkOrder({ seed, epoch, shuffle }: Required<Omit<ShardOptions, "buffer">>): void {
  checkInteger("share out the data", "seed", seed, 0), checkInteger("share out the data", "epoch", epoch, 0);
  checkBoolean("share out the data", "shuffle", shuffle);
}
