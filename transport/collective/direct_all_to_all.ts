import type { Channel } from "./channel.ts";
import { tagOf } from "./header.ts";
import type { RoundOf } from "../ops.ts";

/** All-to-all in one hop: each rank sends every other one the message that is for it. */
export async function directAllToAll(channel: Channel, round: RoundOf<"allToAll">): Promise<readonly Uint8Array[]> {
  const { rank } = channel, { messages } = round, own = messages[rank]!, tag = tagOf(round);
  const [replies] = await Promise.all([
    channel.receiveFromAll(tag, (lengths) => {
      lengths[rank] = own.byteLength;
      return channel.reserveEach(lengths);
    }),
    ...channel.peers.map((to) => channel.send(to, tag, messages[to]!)),
  ]);
  replies[rank]!.set(own);
  return replies;
}
