import { assertEquals } from "@std/assert/mod.js";
import { segmentedAllReduce } from "../../../transport/collective/segmented_all_reduce.ts";
import { wholeAllReduce } from "../../../transport/collective/whole_all_reduce.ts";
import { fold, key, normal } from "../../../random.ts";
import { counts, recorded } from "./recorded.ts";

Deno.test("a segmented all-reduce has the bits of a whole one, and sends two segments to each rank", async () => {
  for (const length of [1, 2, 5, 200_003]) { // fewer numbers than ranks, and segments of two packets
    const rounds = [0, 1, 2].map((rank) =>
      ({ op: "allReduce", vector: normal(fold(key(1), rank), new Float32Array(length)) }) as const
    );
    const round = await recorded(segmentedAllReduce, rounds), whole = await recorded(wholeAllReduce, rounds);
    assertEquals(round.replies, whole.replies);
    const packets = length > 3 * 65_536 ? 4 : 2;
    assertEquals(counts(round), [[0, packets, packets], [packets, 0, packets], [packets, packets, 0]]);
  }
});

Deno.test("the second hop of a segmented all-reduce is phase 1", async () => {
  const rounds = [0, 1].map((rank) =>
    ({ op: "allReduce", vector: Float32Array.of(1, 2, 3).fill(rank, 0, 1) }) as const
  );
  const { packets } = await recorded(segmentedAllReduce, rounds);
  const head = (phase: number, bytes: number) => [3, phase, 0, 0, 1, 0, 0, 0, bytes, 0, 0, 0, 3, 0, 0, 0];
  assertEquals(packets[0]![1]!.map((packet) => [...packet.subarray(0, 16)]), [head(0, 8), head(1, 4)]);
  assertEquals(packets[1]![0]!.map((packet) => [...packet.subarray(0, 16)]), [head(0, 4), head(1, 8)]);
});
