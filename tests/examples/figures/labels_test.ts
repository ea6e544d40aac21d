import { assert, assertEquals } from "@std/assert/mod.js";
import { LETTER, LINE, placeLabels } from "../../../examples/figures/labels.ts";
import { key, uniform } from "../../../random.ts";

const frame = { left: 70, right: 830, top: 40, bottom: 500 };

Deno.test("a name alone stands right of its point, or left of it where the frame ends", () => {
  const at = (x: number) => placeLabels([{ text: "name", color: "#000", at: [[x, 200]] }], [[x, 200, 1]], frame)[0]!;
  assert(at(400).left > 400 && at(400).middle === 200);
  assert(at(820).left + 4 * LETTER < 820 && at(820).middle === 200);
});

Deno.test("names do not cover one another, and stay in the frame", () => {
  for (let seed = 0; seed < 20; seed++) {
    // Thirty points, most of them in a heap.
    const u = uniform(key(seed), new Float32Array(60));
    const points = Array.from(
      { length: 30 },
      (_, i) => [400 + 2000 * (u[2 * i]! - .5) ** 3, 60 + 400 * u[2 * i + 1]!] as const,
    );
    const labels = points.map(([x, y], i) => ({ text: `compressor ${i}`, color: "#000", at: [[x, y]] as const }));
    const placed = placeLabels(labels, points.map(([x, y]) => [x, y, 8]), frame);
    assertEquals(placed.map(({ text }) => text), labels.map(({ text }) => text));
    placed.forEach((a, i) => {
      const right = a.left + LETTER * a.text.length;
      assert(a.left >= frame.left && right <= frame.right, `${a.text} is cut`);
      for (const b of placed.slice(i + 1)) {
        const apart = Math.abs(a.middle - b.middle) >= LINE - 1e-6 || right <= b.left ||
          b.left + LETTER * b.text.length <= a.left;
        assert(apart, `seed ${seed}: ${a.text} and ${b.text} overlap`);
      }
    });
  }
});
