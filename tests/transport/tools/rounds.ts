/** Rounds whose replies can be computed without a group. @module */

import type { WireRound } from "../../../transport/mod.ts";
import { fold, key, normal } from "../../../random.ts";

/** A list of rounds, each a list by rank: every op, lengths around the borders, numbers whose sum depends on the order. */
export function exactRounds(size: number, lengths = [0, 1, 64, 1000, 8193, 20_001]): WireRound[][] {
  const ranks = Array.from({ length: size }, (_, rank) => rank);
  return lengths.flatMap((length, i) => [
    ranks.map((rank): WireRound => ({ op: "allGather", message: bytes(length + rank * (i % 3), rank) })),
    ranks.map((rank): WireRound => ({
      op: "allToAll",
      messages: ranks.map((to) => bytes(length * ((rank + to) % 2) + to, 7 * rank + to)),
    })),
    ranks.map((rank): WireRound => ({
      op: "allReduce",
      vector: normal(fold(key(i), rank), new Float32Array(length)),
    })),
    ranks.map((rank): WireRound => ({ op: "broadcast", root: i % size, message: bytes(rank + length, rank) })),
  ]);
}

function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 101) & 255);
}
