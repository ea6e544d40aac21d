/** Groups and transports of ranks of one thread, through shared memory, and the bytes that groups move. @module */

import {
  broadcastChannelAsync,
  broadcastChannelTransport,
  type Collective,
  type Transport,
  type WireRound,
} from "../../../transport/mod.ts";

/** A group of awaited ranks. */
export async function groups(size: number, timeout: number, capacity: number): Promise<{ groups: Collective[] }> {
  const name = crypto.randomUUID();
  return {
    groups: await Promise.all(
      Array.from(
        { length: size },
        (_, rank) => broadcastChannelAsync({ name, rank, size, timeout, capacity, connectTimeout: 30_000 }),
      ),
    ),
  };
}

/** Transports over rings. */
export function rings(size: number, timeout = 30_000): Promise<Transport[]> {
  const name = crypto.randomUUID();
  return Promise.all(
    Array.from(
      { length: size },
      (_, rank) => broadcastChannelTransport({ name, rank, size, timeout, connectTimeout: 30_000 }),
    ),
  );
}

/** What the others read of a rank's bytes, and it of theirs: the documented traffic, an independent account. */
export function traffic(rounds: readonly WireRound[], rank: number): { sentBytes: number; receivedBytes: number } {
  const read = (from: number, by: number): number => {
    const round = rounds[from]!, size = rounds.length;
    switch (round.op) {
      case "allGather":
        return round.message.length;
      case "allToAll":
        return round.messages[by]!.length;
      case "broadcast":
        return from === round.root ? round.message.length : 0;
      case "allReduce": {
        const { length } = round.vector;
        if (length <= 8192) return 4 * length;
        // In chunks of 2^18 floats, cut into stripes: one stripe to be summed by the other, one sum for it.
        let floats = 0;
        for (let at = 0; at < length; at += 1 << 18) {
          const here = Math.min(1 << 18, length - at);
          const stripe = (rank: number) => Math.floor(here * (rank + 1) / size) - Math.floor(here * rank / size);
          floats += stripe(by) + stripe(from);
        }
        return 4 * floats;
      }
    }
  };
  const others = [...rounds.keys()].filter((other) => other !== rank);
  return {
    sentBytes: others.reduce((sum, by) => sum + read(rank, by), 0),
    receivedBytes: others.reduce((sum, from) => sum + read(from, rank), 0),
  };
}
