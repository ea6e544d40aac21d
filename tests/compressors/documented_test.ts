/** Figures that the documentation states. @module */

import { assert, assertEquals } from "@std/assert/mod.js";
import { compress, parseCompressor } from "../../compressors/mod.ts";
import { bestPoints, momentsBetween } from "../../compressors/kernels/unequal_levels.ts";
import { key, normal, uniform } from "../../random.ts";

Deno.test("bits a number: those that the documentation states, on a gaussian vector", () => {
  const bits = (text: string, size: number) =>
    8 * compress(parseCompressor(text), normal(key(5), new Float32Array(size)), key(1)).length / size;
  for (
    const [text, stated] of [
      ["kashin({ levels: 2 })", 2],
      ["kashin({ levels: 3 })", 3.2],
      ["kashin({ levels: 5 })", 16 / 3],
      ["kashin({ levels: 6 })", 16 / 3],
      ["kashin({ levels: 7 })", 6],
      ["dithering({ levels: 1 })", 1.6],
      ["dithering({ levels: 2 })", 8 / 3],
      ["dithering({ levels: 3 })", 3],
      ["stochasticLevels({ levels: 3 })", 1.6],
      ["stochasticLevels({ levels: 6 })", 8 / 3],
      ["zipml({ levels: 5 })", 8 / 3],
    ] as const
  ) {
    // Scales and the last byte are less than a hundredth of a bit each.
    const found = bits(text, 2 ** 14);
    assert(Math.abs(found - stated) < 0.02, `${text} takes ${found} bits, stated ${stated}`);
  }
  for (const draws of [10, 100, 1000, 3000]) {
    // log₂ C(2 d + R − 1, R), by its factors.
    let set = 32;
    for (let j = 1; j <= draws; j++) set += Math.log2((2000 + j - 1) / j);
    const found = 1000 * bits(`crossPolytope({ draws: ${draws} })`, 1000);
    assert(found >= set - 1 && found <= set + 11, `${draws} draws take ${found} bits, stated ${set}`);
  }
});

Deno.test("subtractiveDithering: sparse vectors take fewer bits with a smaller keep", () => {
  const size = 2 ** 16, kept = uniform(key(9), new Float32Array(size));
  const sparse = normal(key(4), new Float32Array(size)).map((z, i) => kept[i]! < 0.01 ? z : 0);
  const bits = ["keep: 1", "states: 8", "keep: 0.3"].map((option) =>
    8 * compress(parseCompressor(`subtractiveDithering({ omega: 4, ${option} })`), sparse, key(1)).length / size
  );
  assertEquals(bits.map((b) => b.toFixed(2)), ["0.23", "0.13", "0.09"]);
});

/** Σ (b − x)(x − a) over all numbers x, a and b the levels around x. */
function costOf(vector: Float32Array, levels: Float64Array): number {
  const sorted = levels.toSorted();
  return vector.reduce((sum, x) => {
    const at = Math.max(0, Math.min(sorted.length - 2, sorted.findLastIndex((level) => level <= x)));
    return sum + (sorted[at + 1]! - x) * (x - sorted[at]!);
  }, 0);
}

/** The levels of least cost among all numbers of the vector. */
function bestLevels(vector: Float32Array, levels: number): Float64Array {
  const points = Float64Array.from(new Set(vector)).sort();
  const [count, sum, squares] = [0, 1, 2].map(() => new Float64Array(points.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  momentsBetween(vector, points, count, sum, squares);
  for (const moment of [count, sum, squares]) {
    let total = 0;
    moment.forEach((own, i) => (moment[i] = total, total += own));
  }
  return bestPoints(points, levels, count, sum, squares);
}

Deno.test("zipml: the least variance for up to 256 numbers, and within 1.4 % of it at up to 16 levels of more", () => {
  const shapes: ((z: Float32Array) => Float32Array)[] = [
    (z) => z,
    (z) => z.map((v) => Math.sign(v) * Math.exp(2 * Math.abs(v))),
    (z) => uniform(key(3), z),
  ];
  for (const shape of shapes) {
    for (const [size, most] of [[256, 1 + 1e-6], [1000, 1.014]] as const) {
      const vector = shape(normal(key(size), new Float32Array(size)));
      for (const levels of [3, 4, 8, 16]) {
        const message = compress(parseCompressor(`zipml({ levels: ${levels} })`), vector, key(1));
        const view = new DataView(message.buffer, message.byteOffset);
        const sent = Float64Array.from({ length: levels }, (_, i) => view.getFloat32(4 * i, true));
        const ratio = costOf(vector, sent) / costOf(vector, bestLevels(vector, levels));
        assert(ratio <= most, `${levels} levels of ${size} numbers cost ${ratio} times the least`);
      }
    }
  }
});
