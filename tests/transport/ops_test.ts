import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert/mod.js";
import { encodedBytes, type WireRound } from "../../transport/mod.ts";
import { bytesOf } from "../../bytes.ts";
import {
  checkRound,
  floatsOf,
  messagesOf,
  opNames,
  opNumbered,
  opOf,
  rootOf,
  sentMessages,
} from "../../transport/ops.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const rounds: readonly WireRound[] = [
  { op: "allGather", message: bytes(1) },
  { op: "allToAll", messages: [bytes(2), bytes(3, 4), bytes()] },
  { op: "allReduce", vector: Float32Array.of(1, -2) },
  { op: "broadcast", root: 1, message: bytes(5, 6, 7) },
];

Deno.test("each op has the numbers of FORMAT.md", () => {
  assertEquals(opNames.map((name) => [name, opOf(name).number, opOf(name).sharedNumber]), [
    ["allGather", 1, 0],
    ["allToAll", 2, 1],
    ["allReduce", 3, 2],
    ["broadcast", 4, 3],
  ]);
  for (const name of opNames) assertEquals(opNumbered(opOf(name).number), name);
  assertEquals([opNumbered(0), opNumbered(5), opNumbered(0, "sharedNumber")], [undefined, undefined, "allGather"]);
});

Deno.test("a round is its op, its messages and its root", () => {
  for (const round of rounds) {
    const again = opOf(round.op).round(messagesOf(round), rootOf(round) ?? 0);
    assertEquals(again, round);
    messagesOf(again).forEach((message, i) => assertStrictEquals(message.buffer, messagesOf(round)[i]!.buffer));
  }
  assertEquals(sentMessages(rounds[3]!, 0), []);
  assertEquals(sentMessages(rounds[3]!, 1), [bytes(5, 6, 7)]);
});

Deno.test("a rank's own messages count once, its share of an all-to-all too, and what is local counts nothing", () => {
  const messages = [bytes(1), bytes(1, 2), bytes(1, 2, 3)], at = new Float32Array(4), gather = bytes(1, 2, 3, 4, 5);
  assertEquals(encodedBytes({ op: "allToAll", messages }, 1), 6);
  assertEquals(encodedBytes({ op: "allGather", message: gather }, 1), 5);
  assertEquals(encodedBytes({ op: "allReduce", vector: at }, 1), 16);
  assertEquals([0, 1].map((rank) => encodedBytes({ op: "broadcast", root: 1, message: gather }, rank)), [0, 5]);
  assertEquals(encodedBytes({ op: "start", round: { op: "allGather", message: gather } }, 0), 5);
  assertEquals(encodedBytes({ op: "finish" }, 0) + encodedBytes({ op: "gradient", at, into: at }, 0), 0);
});

Deno.test("what is wrong with a round is said, with what was received and what was agreed", () => {
  for (const round of rounds) checkRound(round, 3, 8);
  const refusals: [WireRound, typeof Error, string][] = [
    [rounds[0]!, RangeError, "Cannot perform allGather: the message has 1 bytes, agreed are at most 0"],
    [{ op: "allToAll", messages: [] }, RangeError, "Cannot perform allToAll: 0 messages for 3 ranks"],
    [{ op: "allReduce", vector: new Float32Array(1) }, RangeError, "the message has 4 bytes, agreed are at most 0"],
    [{ ...rounds[3]!, root: 3 } as WireRound, RangeError, "root is 3, expected a rank below 3"],
    [{ ...rounds[3]!, root: .5 } as WireRound, RangeError, "root is 0.5, expected a rank below 3"],
    [{ op: "toString" } as unknown as WireRound, TypeError, "unknown op toString"],
  ];
  for (const [round, kind, why] of refusals) assertThrows(() => checkRound(round, 3, 0), kind, why);
});

Deno.test("vectors and their bytes share memory, but for bytes that no vector can lie in", () => {
  const vector = Float32Array.of(1, 2, 3).subarray(1), view = bytesOf(vector);
  assertEquals([view.byteLength, view.byteOffset], [8, 4]);
  assertStrictEquals(floatsOf(view).buffer, vector.buffer);
  const shifted = new Uint8Array(9);
  shifted.set(view, 1);
  assertEquals(floatsOf(shifted.subarray(1)), vector);
});
