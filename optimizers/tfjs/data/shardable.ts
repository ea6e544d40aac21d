/** Checks of what is shared out among ranks, and of the ranks. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { show } from "../../../options.ts";
import type { Place, Shardable } from "./shard.ts";

const prefix = "Cannot share out the data: ";

/** @throws {TypeError | RangeError} unless it says a rank and how many there are */
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
 * @param or what else will do
 * @throws {TypeError} unless there are rows that can be given to ranks
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

/** @throws {RangeError} if a rank would have nothing: it would take no step, and the others would wait for it */
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
