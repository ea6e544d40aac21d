import { assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import {
  allGather,
  allReduce,
  allToAll,
  alone,
  barrier,
  type BlockingCollective,
  broadcast,
  collective,
  type Exchange,
  gradientAt,
  memory,
  performTogether,
  runAsync,
  runBlocking,
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

Deno.test("performTogether refuses vectors of different lengths and different roots", () => {
  const sum = (length: number): WireRound => ({ op: "allReduce", vector: new Float32Array(length) });
  assertThrows(() => performTogether([sum(3), sum(2)]), RangeError, "rank 1 has 2 numbers, rank 0 has 3");
  const root = (root: number): WireRound => ({ op: "broadcast", root, message: bytes(root) });
  assertThrows(() => performTogether([root(0), root(1)]), Error, "the root is rank 0 to rank 0, rank 1 to rank 1");
});

/** What both drivers of one rank run: a gradient between the start and the end of an exchange. */
function* meanwhile(rank: number, log: string[]): Exchange<number[]> {
  try {
    const gradient = new Float32Array(1);
    yield { op: "start", round: { op: "allGather", message: bytes(rank) } };
    yield* gradientAt(Float32Array.of(5), gradient, "all");
    log.push(`computed ${gradient[0]}`);
    return (yield { op: "finish" }).map(([byte]) => byte!);
  } finally {
    log.push("clean");
  }
}

Deno.test("runBlocking and runAsync answer gradients while the round that was started goes on", async () => {
  const log: string[] = [], oracle = (at: Float32Array, into: Float32Array) => void (into[0] = 2 * at[0]!);
  const group: BlockingCollective = {
    ...alone(),
    start: (round) => {
      log.push("started");
      return () => (log.push("waited"), [round.op === "allGather" ? round.message : bytes()]);
    },
  };
  assertEquals(runBlocking(meanwhile(7, log), group, oracle), [7]);
  assertEquals(log.splice(0), ["started", "computed 10", "waited", "clean"]);
  const groups = memory(2).map((transport) => collective(transport));
  const replies = await Promise.all(groups.map((group, rank) => runAsync(meanwhile(rank, log), group, oracle)));
  assertEquals([replies, log], [[[0, 1], [0, 1]], ["computed 10", "computed 10", "clean", "clean"]]);
  await Promise.all(groups.map((group) => group[Symbol.asyncDispose]()));
});

Deno.test("an exchange that fails waits for the round that it has started, and cleans up", async () => {
  const log: string[] = [],
    fail = () => {
      throw new RangeError("no gradient");
    };
  const started: BlockingCollective = { ...alone(), start: () => () => (log.push("waited"), []) };
  assertThrows(() => runBlocking(meanwhile(0, log), started, fail), RangeError, "no gradient");
  assertEquals(log.splice(0), ["waited", "clean"]);
  await using group = collective(memory(1)[0]!);
  await assertRejects(() => runAsync(meanwhile(0, log), group, fail), RangeError, "no gradient");
  assertEquals(log, ["clean"]);
  assertEquals(await runAsync(barrier(), group), undefined);
});

Deno.test("what a driver cannot answer is refused", async () => {
  const gradient = () => gradientAt(new Float32Array(1), new Float32Array(1));
  function* finish(): Exchange {
    yield { op: "finish" };
  }
  using group = alone();
  await using awaited = collective(memory(1)[0]!);
  for (const [exchange, why] of [[gradient, "no gradient oracle"], [finish, "has not started"]] as const) {
    assertThrows(() => runBlocking(exchange(), group), TypeError, why);
    await assertRejects(() => runAsync(exchange(), awaited), TypeError, why);
  }
  assertThrows(() => runTogether([gradient()]), TypeError, "no gradient oracle");
});
