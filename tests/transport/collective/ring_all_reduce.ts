/** An algorithm that only tests have: a file over the channel, and a line where the algorithm is chosen. @module */

import type { Channel } from "../../../transport/collective/channel.ts";
import { tagOf } from "../../../transport/collective/header.ts";
import { segmentStart } from "../../../transport/collective/sum.ts";
import { bytesOf } from "../../../bytes.ts";
import { floatsOf, type RoundOf } from "../../../transport/ops.ts";

/**
 * All-reduce around a ring, in 2(n − 1) hops: in the first n − 1 each segment goes around and every rank adds its own numbers
 * to it; in the others the sums go around. (Patarasuk & Yuan, 2009, section 3)
 */
export async function ringAllReduce(channel: Channel, round: RoundOf<"allReduce">): Promise<readonly Uint8Array[]> {
  const { rank, size } = channel, { vector } = round, right = (rank + 1) % size, left = (rank + size - 1) % size;
  const target = await channel.reserve(vector.byteLength), sum = floatsOf(target);
  sum.set(vector);
  const segment = (i: number) => {
    const at = (i + size) % size;
    return sum.subarray(segmentStart(sum.length, at, size), segmentStart(sum.length, at + 1, size));
  };
  for (let hop = 0; hop < 2 * (size - 1); hop++) {
    const tag = tagOf(round, hop), adds = hop < size - 1, step = hop % (size - 1), from = rank - step + (adds ? 0 : 1);
    const into = segment(from - 1), coming = adds ? new Float32Array(into.length) : into;
    await Promise.all([
      channel.send(right, tag, bytesOf(segment(from))),
      channel.receive(left, tag, bytesOf(coming)),
    ]);
    if (adds) coming.forEach((value, i) => into[i]! += value);
  }
  return [target];
}
