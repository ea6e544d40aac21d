import { assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  allGather,
  allReduce,
  allToAll,
  broadcast,
  encodedBytes,
  type Exchange,
  gradientAt,
  performTogether,
  relay,
  runTogether,
  type WireRound,
} from "../../transport/mod.ts";

const ranks = [0, 1, 2], bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("runTogether answers every kind of round", () => {
  function* exchange(rank: number): Exchange<unknown> {
    const vector = Float32Array.of(rank, 1), gradient = new Float32Array(1);
    const gathered = yield* allGather(bytes(rank, rank));
    const mine = yield* allToAll(ranks.map((to) => bytes(10 * rank + to)));
    yield* allReduce(vector);
    yield* gradientAt(Float32Array.of(5), gradient);
    const root = yield* broadcast(1, bytes(rank));
    return [gathered, mine, vector, gradient, root].map((x) => [...x].map((y) => typeof y === "number" ? y : [...y]));
  }
  const gradients = ranks.map((rank) => (at: Float32Array, into: Float32Array) => void (into[0] = at[0]! + rank));
  assertEquals(
    runTogether(ranks.map(exchange), gradients),
    ranks.map((rank) => [[[0, 0], [1, 1], [2, 2]], [[rank], [10 + rank], [20 + rank]], [3, 3], [5 + rank], [1]]),
  );
});

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

Deno.test("runTogether refuses ranks that disagree, and lets them clean up", () => {
  let cleaned = 0;
  function* exchange(rank: number): Exchange {
    try {
      if (rank === 2) yield* allReduce(new Float32Array(1));
      else yield* allGather(bytes(rank));
    } finally {
      cleaned++;
    }
  }
  assertThrows(() => runTogether(ranks.map(exchange)), Error, "rank 0 asks for allGather, rank 2 for allReduce");
  assertEquals(cleaned, 3);
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
