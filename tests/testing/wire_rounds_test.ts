import { assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert/mod.js";
import { copyOf, equal, equalBytes, roundsOf } from "../../testing/wire_rounds.ts";
import { messagesOf, opNames } from "../../transport/ops.ts";

Deno.test("wire rounds: one for each rank, with lengths that differ and copies of their own", () => {
  for (const op of opNames) {
    const rounds = roundsOf(op, 3, 10, 1, 3), copies = rounds.map(copyOf);
    assertEquals(rounds.map((round) => round.op), [op, op, op]);
    assertEquals(copies, rounds);
    const sent = rounds.map(messagesOf), lengths = sent.flat().map(({ byteLength }) => byteLength);
    copies.flatMap(messagesOf).forEach((bytes, i) => assertNotStrictEquals(bytes.buffer, sent.flat()[i]!.buffer));
    if (op === "broadcast") assertEquals(lengths, [0, 13, 0]);
    else if (op === "allReduce") assertEquals(lengths, [40, 40, 40]);
    else assertEquals([Math.min(...lengths), Math.max(...lengths)], [10, 13]);
  }
});

Deno.test("wire rounds: what differs is told", () => {
  equal(1, 1, "rank");
  assertThrows(() => equal(1, 2, "rank"), Error, "Expected rank to be 2, received 1");
  equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2), "reply");
  assertThrows(() => equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2), "reply"), Error, "reply: length to be 2");
  assertThrows(() => equalBytes(Uint8Array.of(1, 3), Uint8Array.of(1, 2), "reply"), Error, "reply: byte 1 to be 2");
});
