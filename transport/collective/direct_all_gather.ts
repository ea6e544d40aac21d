import type { Channel } from "./channel.ts";
import { tagOf } from "./header.ts";
import type { RoundOf } from "../ops.ts";

/**
 * All-gather in one hop: each rank sends its message to every other one. With n ranks it sends n − 1 messages, as many
 * as a ring does in n − 1 hops.
 */
export async function directAllGather(channel: Channel, round: RoundOf<"allGather">): Promise<readonly Uint8Array[]> {
  const { rank } = channel, { message } = round, tag = tagOf(round);
  const [replies] = await Promise.all([
    channel.receiveFromAll(tag, (lengths) => {
      lengths[rank] = message.byteLength;
      return channel.reserveEach(lengths);
    }),
    channel.sendToAll(tag, message),
  ]);
  replies[rank]!.set(message);
  return replies;
}
