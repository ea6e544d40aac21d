import { assertEquals } from "@std/assert/mod.js";
import { addInOrder, segmentStart } from "../../../transport/collective/sum.ts";
import { fold, key, normal } from "../../../random.ts";

Deno.test("vectors are added in order, each addition rounded, at any length and for any number of them", () => {
  for (const count of [1, 2, 3, 5]) {
    for (const length of [0, 1, 3, 4, 7, 64, 1001]) {
      const parts = Array.from({ length: count }, (_, rank) => normal(fold(key(1), rank), new Float32Array(length)));
      const expected = Float32Array.from(
        { length },
        (_, i) => parts.reduce((sum, part) => Math.fround(sum + part[i]!), -0),
      );
      const sum = new Float32Array(length);
      addInOrder(parts, sum);
      assertEquals(sum, expected);
      addInOrder(parts, parts[0]!); // The sum may take the place of the first.
      assertEquals(parts[0], expected);
    }
  }
});

Deno.test("segments cover a vector, each once, and differ by one number at most", () => {
  for (const [length, size] of [[0, 3], [2, 3], [10, 3], [1001, 8]] as const) {
    const starts = Array.from({ length: size + 1 }, (_, rank) => segmentStart(length, rank, size));
    assertEquals([starts[0], starts[size]], [0, length]);
    const lengths = starts.slice(1).map((end, rank) => end - starts[rank]!);
    assertEquals(Math.max(...lengths) - Math.min(...lengths) <= 1, true);
  }
});
