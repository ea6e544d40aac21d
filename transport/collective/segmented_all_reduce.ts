import type { Channel } from "./channel.ts";
import { tagOf } from "./header.ts";
import { bytesOf } from "../../bytes.ts";
import { floatsOf, type RoundOf } from "../ops.ts";
import { segmentStart } from "./sum.ts";

/**
 * All-reduce in two hops, a reduce-scatter and an all-gather: each rank adds up one segment of the vectors, which the
 * others send it, and then sends the sum to all of them. With n ranks it sends 2(n − 1)/n of a vector, as a ring does
 * in 2(n − 1) hops; no algorithm sends less.
 */
export async function segmentedAllReduce(
  channel: Channel,
  round: RoundOf<"allReduce">,
): Promise<readonly Uint8Array[]> {
  const { rank, size } = channel, { vector } = round, { length } = vector;
  const source = bytesOf(vector), target = await channel.reserve(source.byteLength), scatter = tagOf(round);
  const segment = (bytes: Uint8Array, rank: number) =>
    bytes.subarray(4 * segmentStart(length, rank, size), 4 * segmentStart(length, rank + 1, size));
  const start = segmentStart(length, rank, size), end = segmentStart(length, rank + 1, size);
  await Promise.all([
    channel.receiveSum(scatter, vector.subarray(start, end), floatsOf(target).subarray(start, end)),
    ...channel.peers.map((to) => channel.send(to, scatter, segment(source, to))),
  ]);
  const gather = tagOf(round, 1), own = segment(target, rank);
  await Promise.all([
    channel.receiveFromAll(gather, (lengths) => lengths.map((_, from) => segment(target, from))),
    channel.sendToAll(gather, own),
  ]);
  return [target];
}
