/**
 * What was sharded over a group: by it the ranks see whether all of them sharded the same rows in the same order.
 *
 * @module
 */

import { digest } from "../../files/digest.ts";

/** The name of this fact in comparisons among ranks. */
export const dataKey = "the data given to shard";

/** What a rank has sharded over a group. */
interface Sharded {
  /** How many times. */
  readonly count: number;
  /** The description of the last data. */
  readonly last: string;
  /** The digest of all descriptions. */
  readonly all: string;
}

const sharded = new WeakMap<object, Sharded>();

/** Remembers that a rank has sharded data over a group. The description of the data holds a digest of their rows. */
export function noteSharded(group: object, data: string): void {
  const { count, all } = sharded.get(group) ?? { count: 0, all: "" };
  sharded.set(group, { count: count + 1, last: data, all: digest().text(all).text(data).hex() });
}

/** What this rank has sharded over the group so far, as a text that is equal on two ranks if all of the data were. */
export function shardedOver(group: object): string {
  const noted = sharded.get(group);
  return noted === undefined ? "nothing" : `${noted.last} (call ${noted.count}, all calls ${noted.all})`;
}
