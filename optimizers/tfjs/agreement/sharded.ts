/** What was shared out among the ranks of a group: whether all of them shared out the same rows in the same order. @module */

import { digest } from "../../files/digest.ts";

/** The name of this fact in comparisons among ranks. */
export const dataKey = "the data given to shard";

/** What a rank has shared out over a group. */
interface Shares {
  readonly count: number;
  readonly last: string;
  /** The digest of all of them. */
  readonly all: string;
}

const shares = new WeakMap<object, Shares>();

/** Remembers what a rank has shared out over a group, told by a text that holds a digest of it. */
export function noteShare(group: object, last: string): void {
  const { count, all } = shares.get(group) ?? { count: 0, all: "" };
  shares.set(group, { count: count + 1, last, all: digest().text(all).text(last).hex() });
}

/** What this rank has shared out over the group so far, as a text: equal where all of it was. */
export function sharedOut(group: object): string {
  const noted = shares.get(group);
  return noted === undefined ? "nothing" : `${noted.last} (call ${noted.count}, all calls ${noted.all})`;
}
