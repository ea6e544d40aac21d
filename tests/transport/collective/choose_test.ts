import { assertStrictEquals } from "@std/assert/mod.js";
import { collectiveProperties } from "../../../testing/mod.ts";
import { chooseAlgorithm } from "../../../transport/collective/choose.ts";
import { communicator } from "../../../transport/collective/collective.ts";
import { segmentedAllReduce } from "../../../transport/collective/segmented_all_reduce.ts";
import { wholeAllReduce } from "../../../transport/collective/whole_all_reduce.ts";
import { memory, type WireRound } from "../../../transport/mod.ts";
import { ringAllReduce } from "./ring_all_reduce.ts";

Deno.test("vectors of up to 32 KiB are summed whole, longer ones in segments, and those of one rank whole", () => {
  const round = (length: number): WireRound => ({ op: "allReduce", vector: new Float32Array(length) });
  assertStrictEquals(chooseAlgorithm(round(8192), 3), wholeAllReduce);
  assertStrictEquals(chooseAlgorithm(round(8193), 3), segmentedAllReduce);
  assertStrictEquals(chooseAlgorithm(round(8193), 1), wholeAllReduce);
});

/** A ring is one more algorithm: a file, and this line. */
const withRing: typeof chooseAlgorithm = (round, size) =>
  round.op === "allReduce" && size > 2
    ? ringAllReduce as ReturnType<typeof chooseAlgorithm>
    : chooseAlgorithm(round, size);

const make = (size: number, timeout: number) => ({
  groups: memory(size).map((transport) => communicator(transport, { timeout }, { choose: withRing })),
});
for (const { name, check } of collectiveProperties(make, { sizes: [2, 3, 5, 8], runs: 3 })) {
  // Whom a rank of a ring blames is for the ring to say: it waits for its neighbour alone.
  if (/exact sums|any rounds|same bits|in time|at once|within the deadline, fails nobody/.test(name)) {
    Deno.test(`a ring all-reduce: ${name}`, check);
  }
}
