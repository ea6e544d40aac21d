/** Rounds whose replies are known, and their comparison. @module */

import { messagesOf, opOf, rootOf } from "../transport/ops.ts";
import type { WireRound } from "../transport/round.ts";
import { expect, pattern } from "./expect.ts";

/** A round of every rank: integers whose sums are exact, messages whose lengths differ by up to `spread`. */
export function roundsOf(op: WireRound["op"], size: number, length: number, root: number, spread: number): WireRound[] {
  const longer = (i: number) => length === 0 && spread < 10 ? 0 : length + i * 31 % (spread + 1);
  return Array.from({ length: size }, (_, rank): WireRound => {
    switch (op) {
      case "allGather":
        return { op, message: pattern(longer(rank), rank) };
      case "allToAll":
        return {
          op,
          messages: Array.from({ length: size }, (_, to) => pattern(longer(rank * size + to), rank * size + to)),
        };
      case "allReduce":
        return { op, vector: Float32Array.from({ length }, (_, i) => (i * 37 + rank * 101) % 2001 - 1000) };
      case "broadcast":
        return { op, root, message: rank === root ? pattern(longer(root), root) : new Uint8Array(0) };
    }
  });
}

/** A copy of a round, with vectors and messages of its own. */
export function copyOf(round: WireRound): WireRound {
  return opOf(round.op).round(messagesOf(round).map((message) => message.slice()), rootOf(round) ?? 0);
}

/** Throws an Error that says what was expected, unless the numbers are equal. */
export function equal(received: number, expected: number, what: string): void {
  expect(received === expected, `${what} to be ${expected}, received ${received}`);
}

/** Throws an Error that says what was expected, unless the bytes are equal. */
export function equalBytes(received: Uint8Array, expected: Uint8Array, what: string): void {
  equal(received?.byteLength, expected.byteLength, `${what}: length`);
  for (let i = 0; i < expected.byteLength; i++) {
    if (received[i] !== expected[i]) equal(received[i]!, expected[i]!, `${what}: byte ${i}`);
  }
}
