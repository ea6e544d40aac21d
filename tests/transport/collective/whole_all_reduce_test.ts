import { assertEquals } from "@std/assert/mod.js";
import { wholeAllReduce } from "../../../transport/collective/whole_all_reduce.ts";
import { counts, recorded } from "./recorded.ts";

Deno.test("a whole all-reduce sends vectors to all and sums them in rank order, of any length", async () => {
  for (const length of [0, 2, 70_001]) {
    const vectors = [1e8, 1, -1e8].map((value) => new Float32Array(length).fill(value));
    const round = await recorded(wholeAllReduce, vectors.map((vector) => ({ op: "allReduce", vector })));
    // In this order (10⁸ + 1) − 10⁸ is 0, as 10⁸ + 1 is no float32.
    for (const [sum] of round.replies) assertEquals(new Float32Array(sum!.buffer), new Float32Array(length));
    assertEquals(vectors[1], new Float32Array(length).fill(1)); // The vectors themselves stay as they were.
    const packets = length > 65_536 ? 2 : 1;
    assertEquals(counts(round), [[0, packets, packets], [packets, 0, packets], [packets, packets, 0]]);
    const head = Uint8Array.of(3, 0, 0, 0, 1, 0, 0, 0, ...bytes(4 * length), ...bytes(length));
    assertEquals(round.packets[1]![0]![0]!.subarray(0, 16), head);
  }
});

function bytes(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
