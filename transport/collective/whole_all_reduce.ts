import type { Channel } from "./channel.ts";
import { tagOf } from "./header.ts";
import { bytesOf } from "../../bytes.ts";
import { floatsOf, type RoundOf } from "../ops.ts";

/**
 * All-reduce in one hop: each rank sends its vector to every other one and adds up all of them. With n ranks it sends n
 * − 1 vectors; {@link segmentedAllReduce} sends less, in two hops.
 */
export async function wholeAllReduce(channel: Channel, round: RoundOf<"allReduce">): Promise<readonly Uint8Array[]> {
  const { vector } = round, tag = tagOf(round), sum = await channel.reserve(vector.byteLength);
  await Promise.all([
    channel.receiveSum(tag, vector, floatsOf(sum)),
    channel.sendToAll(tag, bytesOf(vector)),
  ]);
  return [sum];
}
