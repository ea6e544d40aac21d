/** The data that can be shared out among ranks, and the refusal of what cannot. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { show } from "../../../options.ts";
import type { Dataset, Tensor } from "../variables/tfjs.ts";

/** A rank and the number of ranks. Any group is one. */
export interface Place {
  /** The rank, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks share the data. */
  readonly size: number;
}

/** Rows of data: a tensor, whose rows lie along its first axis, an array or a typed array. */
export type DataRows = Tensor | readonly unknown[] | Float32Array | Int32Array | Uint8Array;

/** What can be shared out: rows, a record of rows that have the same length, or a dataset. */
export type Shardable = DataRows | { readonly [name: string]: DataRows } | Dataset;

const prefix = "Cannot share out the data: ";

/** Whether data are a dataset. */
export function isDataset(data: Shardable): data is Dataset {
  return typeof (data as { iterator?: unknown } | undefined)?.iterator === "function" && "forEachAsync" in data;
}

/**
 * How many rows there are.
 *
 * @throws {RangeError} if the members of a record have different numbers of rows
 */
export function rowsOf(data: Exclude<Shardable, Dataset>): number {
  if (data instanceof tf.Tensor) return data.shape[0] ?? 0;
  if (Array.isArray(data) || ArrayBuffer.isView(data)) return (data as readonly unknown[]).length;
  const lengths = Object.entries(data as Record<string, DataRows>).map(([name, rows]) => [name, rowsOf(rows)] as const);
  const [first, ...others] = lengths, odd = others.find(([, length]) => length !== first![1]);
  if (odd) throw new RangeError(`${prefix}${first![0]} has ${first![1]} rows, ${odd[0]} has ${odd[1]}`);
  return first?.[1] ?? 0;
}

/** The rows with these indices, in the structure of the data. Tensors are new ones, the caller's to dispose of. */
export function select(data: Exclude<Shardable, Dataset>, indices: Int32Array): unknown {
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

/** @throws {TypeError | RangeError} unless `place` has a rank and a size that go together */
export function requirePlace(place: Place): void {
  const { rank, size, then } = Object(place) as Partial<Place> & { readonly then?: unknown };
  // A tensor has a rank and a size too.
  if (typeof rank !== "number" || typeof size !== "number" || place instanceof tf.Tensor) {
    if (typeof then === "function") {
      throw new TypeError(`${prefix}the group is a Promise: await it, as in await connect()`);
    }
    throw new TypeError(
      `${prefix}what follows the data is ${show(place)}, expected the group, or { rank, size }. Rows that belong ` +
        "together are given as one: { xs, ys }",
    );
  }
  if (Number.isInteger(size) && size >= 1 && Number.isInteger(rank) && 0 <= rank && rank < size) return;
  throw new RangeError(`${prefix}rank is ${rank} of ${size}, expected 0 ≤ rank < size`);
}

/**
 * @param or whether the data are of another kind that the caller takes too
 * @throws {TypeError} unless the data have rows
 */
export function requireShardable(data: Shardable, or: (data: Shardable) => boolean = () => false): void {
  if (or(data)) return;
  const what = fault(data, "the data are");
  if (what === undefined) return;
  const how = typeof (data as { then?: unknown } | undefined)?.then === "function" ? ": await them first" : "";
  throw new TypeError(
    `${prefix}${what}, expected a tensor, an array or a typed array, or a record of these such as { xs, ys }${how}`,
  );
}

/** @throws {RangeError} if a rank would have no row: it would take no step, and the others would wait for it */
export function requireRows(rows: number, { size }: Place): void {
  if (rows >= size) return;
  throw new RangeError(`${prefix}there are too few rows, ${rows} for ${size} ranks, expected one for each at least`);
}

/** What is wrong with data, or undefined. */
function fault(data: unknown, named: string): string | undefined {
  if (data instanceof tf.Tensor) {
    return data.isDisposed ? `${named} disposed of` : data.rank === 0 ? `${named} a scalar` : undefined;
  }
  if (Array.isArray(data) || (ArrayBuffer.isView(data) && !(data instanceof DataView))) return undefined;
  if (typeof data !== "object" || data === null) return `${named} ${show(data)}`;
  if (![Object.prototype, null].includes(Object.getPrototypeOf(data))) return `${named} ${show(data)}`;
  const entries = Object.entries(data);
  if (entries.length === 0) return `${named} an empty object`;
  for (const [name, value] of entries) {
    const wrong = fault(value, `${name} is`);
    if (wrong !== undefined) return wrong;
  }
}
