import { assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  allGather,
  allReduce,
  type Exchange,
  performTogether,
  relay,
  runTogether,
  type WireRound,
} from "../../transport/mod.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("relay passes rounds and replies on as its answer makes them, and ends both exchanges where one ends early", () => {
  let ended = 0;
  function* exchange(): Exchange<number> {
    try {
      const [first] = yield* allGather(bytes(1));
      yield* allReduce(new Float32Array(1));
      return first![0]!;
    } finally {
      ended++;
    }
  }
  const changed = () =>
    relay(exchange(), function* (round) {
      if (round.op !== "allGather") return [];
      const replies = yield { op: "allGather", message: bytes(2, round.message[0]!) };
      return replies.map((message) => message.subarray(1));
    });
  const sent: number[][] = [];
  const perform = (rounds: readonly WireRound[]) => {
    for (const round of rounds) if (round.op === "allGather") sent.push([...round.message]);
    return performTogether(rounds);
  };
  assertEquals(runTogether([changed(), changed()], [], perform), [1, 1]);
  assertEquals(sent, [[2, 1], [2, 1]]);
  const refusing = relay(exchange(), function (): never {
    throw new RangeError("no round");
  });
  assertThrows(() => runTogether([refusing]), RangeError, "no round");
  const abandoned = changed();
  abandoned.next([]);
  abandoned.return(0);
  assertEquals(ended, 4);
});
