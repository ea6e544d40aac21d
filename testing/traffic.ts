/** The bytes that a group says it sends and receives. @module */

import type { WireRound } from "../transport/round.ts";

/**
 * The documented traffic of `collective` over a transport that adds `framing` bytes to each packet, from the formulas: an
 * independent account of what each rank sends and receives in a round.
 */
export function collectiveTraffic(
  framing: number,
): (rounds: readonly WireRound[], rank: number) => { sentBytes: number; receivedBytes: number } {
  const wire = (length: number) => length + 16 + framing * Math.max(1, Math.ceil(length / 262_144));
  /** What one rank sends to another. */
  const sent = (rounds: readonly WireRound[], from: number, to: number): number => {
    const round = rounds[from]!, size = rounds.length;
    switch (round.op) {
      case "allGather":
        return wire(round.message.byteLength);
      case "allToAll":
        return wire(round.messages[to]!.byteLength);
      case "allReduce": {
        const { byteLength, length } = round.vector;
        const share = (rank: number) => 4 * (Math.floor(length * (rank + 1) / size) - Math.floor(length * rank / size));
        return byteLength <= 32_768 ? wire(byteLength) : wire(share(to)) + wire(share(from));
      }
      case "broadcast": {
        const { root, message } = rounds[round.root] as typeof round;
        const place = (to - root + size) % size, parent = place & place - 1; // Without the lowest bit that is set.
        return to !== root && (parent + root) % size === from ? wire(message.byteLength) : 0;
      }
    }
  };
  return (rounds, rank) => {
    const others = [...rounds.keys()].filter((other) => other !== rank);
    return {
      sentBytes: others.reduce((sum, to) => sum + sent(rounds, rank, to), 0),
      receivedBytes: others.reduce((sum, from) => sum + sent(rounds, from, rank), 0),
    };
  };
}
