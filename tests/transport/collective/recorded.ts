/** One round by a given algorithm, with all that goes over the wire. @module */

import { memory, type Transport, type WireRound } from "../../../transport/mod.ts";
import type { Algorithm } from "../../../transport/collective/choose.ts";
import { communicator } from "../../../transport/collective/collective.ts";

/** What came of a round: the replies by rank, and the packets that rank p sent to rank q at `packets[p][q]`. */
export interface Recorded {
  readonly replies: Uint8Array[][];
  readonly packets: Uint8Array[][][];
}

/** Performs a round of all ranks in this thread. */
export async function recorded(algorithm: Algorithm<never>, rounds: readonly WireRound[]): Promise<Recorded> {
  const packets = rounds.map(() => rounds.map((): Uint8Array[] => []));
  const groups = memory(rounds.length).map((transport, rank) => {
    const listening: Transport = {
      ...transport,
      send: (to, packet) => (packets[rank]![to]!.push(packet.slice()), transport.send(to, packet)),
    };
    return communicator(listening, {}, { choose: () => algorithm as Algorithm });
  });
  const replies = await Promise.all(groups.map(async (group, rank) => {
    const replies = await group.exchange(rounds[rank]!);
    return replies.map((reply) => reply.slice());
  }));
  await Promise.all(groups.map((group) => group[Symbol.asyncDispose]()));
  return { replies, packets };
}

/** How many packets each rank sent to each other one. */
export function counts({ packets }: Recorded): number[][] {
  return packets.map((row) => row.map(({ length }) => length));
}
