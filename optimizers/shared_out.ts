/** What was shared out among the ranks of a group: whether all of them shared out the same rows in the same order. @module */

/** The name of this fact in comparisons among ranks. */
export const dataKey = "the data given to shard";

const shares = new WeakMap<object, string[]>();

/** Remembers a digest of data that a rank has shared out over a group. */
export function noteShare(group: object, digest: string): void {
  const before = shares.get(group);
  if (before) before.push(digest);
  else shares.set(group, [digest]);
}

/** The digests of what this rank has shared out over the group so far, in order. */
export function sharedOut(group: object): readonly string[] {
  return shares.get(group) ?? [];
}
