import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { roundNearest } from "../../../../compressors/kernels/sparse_levels.ts";
import { compress, decompress, sparseDithering } from "../../../../compressors/mod.ts";
import { key } from "../../../../random.ts";
import { gaussian, meanError, ones, squaredDistance, squaredNorm, X } from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

const stepOf = (x: Float32Array, nu: number) => 2 * Math.sqrt(nu * squaredNorm(x) / x.length);

/** ‖x‖² (4 ν / d) Σ g(vᵢ). */
function exactError(x: Float32Array, nu: number): number {
  const step = stepOf(x, nu) || 1;
  return x.reduce((sum, value) => {
    const v = Math.abs(value) / step, fraction = v - Math.floor(v);
    return sum + step * step * fraction * (1 - fraction);
  }, 0);
}

/** Whether all are multiples of the step. */
const lattice = (nu: number) => (decoded: Float32Array, x: Float32Array) => {
  const step = stepOf(x, nu) || 1;
  return decoded.every((value) =>
    Math.abs(value / step - Math.round(value / step)) <= 1e-6 * (1 + Math.abs(value / step))
  );
};

for (const nu of [0.1, 0.25, 1, 4]) {
  suite(sparseDithering({ nu }), {
    lattice: lattice(nu),
    error: (x) => exactError(x, nu),
    sizes: [0, 1, 2, 3, 7, 8, 9, 16, 61, 127, 1000],
    worst: (size) => nu > 1 ? ones(size) : halves(size, nu),
  });
}
for (const nu of [0.05, 0.5, 0.99]) suite(sparseDithering({ nu, rounding: "nearest" }), { lattice: lattice(nu) });

/** Two neighbouring half-integer levels with Σ v² = d / 4ν, where d allows it. */
function halves(size: number, nu: number): Float32Array | undefined {
  const level = Math.floor(0.5 / Math.sqrt(nu) + 0.5) - 0.5;
  const above = Math.round(size * (0.25 / nu - level * level) / (2 * level + 1) * 1e6) / 1e6;
  if (!Number.isInteger(above)) return undefined;
  return new Float32Array(size).map((_, i) => i < above ? level + 1 : level);
}

Deno.test("the worst vectors exist, so that sharpness is tested", () => {
  assertEquals([...halves(8, 0.25)!], [1.5, 1.5, 1.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  assertEquals(halves(16, 0.1)!.filter((level) => level === 2.5).length, 1);
  assertEquals([...halves(3, 1)!], [0.5, 0.5, 0.5]);
});

Deno.test("levels, error and bits of (1, −2, 3, −4) to nearest, as enumerated", () => {
  const rows: [number, number[], number, number][] = [
    [0.1, [1, -1, 2, -2], 0.037009, 44],
    [0.25, [0, -1, 1, -1], 0.106832, 42],
    [0.5, [0, -1, 1, -1], 0.176210, 42],
    [0.9, [0, 0, 1, -1], 0.375129, 31 + 3 + 3 + 2 + 2],
  ];
  for (const [nu, levels, error, bits] of rows) {
    const nearest = sparseDithering({ nu, rounding: "nearest" }), message = compress(nearest, X, key(1));
    const decoded = decompress(nearest, message, key(1), 4);
    assertEquals([...decoded].map((value) => Math.round(value / stepOf(X, nu)) + 0), levels);
    assertAlmostEquals(squaredDistance(decoded, X) / 30, error, 1e-6);
    assertEquals(message.length, Math.ceil(bits / 8));
  }
  // Beyond the ν that it takes, where nothing bounds the error below ‖x‖².
  for (const [nu, levels, error] of [[1, [0, 0, 1, -1], 0.443961], [2, [0, 0, 0, -1], 0.934409]] as const) {
    const at = new Uint32Array(5), found = new Int32Array(5), dense = new Float32Array(4), step = stepOf(X, nu);
    const count = roundNearest(X, 1 / step, 2 ** 30, at, found);
    for (let j = 0; j < count; j++) dense[at[j]!] = found[j]!;
    assertEquals([...dense], [...levels]);
    assertAlmostEquals(squaredDistance(dense.map((level) => level * step), X) / 30, error, 1e-6);
  }
});

Deno.test("the mean error of (1, −2, 3, −4) at random is the tabled one, to 3 %", () => {
  for (
    const [nu, expected] of [[0.1, 2.353829], [0.25, 5.726707], [0.5, 9.7137], [1, 24.772256], [2, 47.45967]] as const
  ) {
    assertAlmostEquals(meanError(sparseDithering({ nu }), X, 20000), expected, 0.03 * expected);
    assertAlmostEquals(exactError(X, nu), expected, 1e-5);
  }
});

Deno.test("all-equal and one-hot vectors: exact where they meet a level, and their bits", () => {
  const equal = new Float32Array(1000).fill(-3), quarter = sparseDithering({ nu: 0.25 });
  const message = compress(quarter, equal, key(1));
  assert(decompress(quarter, message, key(1), 1000).every((value) => Math.abs(value + 3) < 1e-6));
  assertEquals(message.length, Math.ceil((31 + 10 + 0 + 1000 + 1000) / 8));
  const hot = new Float32Array(1000);
  hot[17] = 5; // v = √1000 = 31.6, one index of 10 bits, one sign
  const nearest = sparseDithering({ nu: 0.25, rounding: "nearest" });
  assert(compress(nearest, hot, key(1)).length <= Math.ceil((31 + 10 + 12 + 1 + 32) / 8));
});

Deno.test("golden messages", () => {
  const golden = (nu: number, rounding: "random" | "nearest", x: Float32Array) =>
    compress(sparseDithering({ nu, rounding }), x, key(42)).toHex();
  assertEquals(golden(0.1, "nearest", X), "7fbb67ae14a0");
  assertEquals(golden(0.25, "nearest", X), "805e8adc4a00");
  assertEquals(golden(0.25, "random", gaussian(40, 7)), "7ef49b2e77de620fd09affc0cc95800020");
  assertEquals(golden(0.25, "random", new Float32Array(3)), "00000000");
  assertEquals(golden(0.25, "random", new Float32Array(0)), "00000000");
});

Deno.test("options out of range are refused", () => {
  assertThrows(() => sparseDithering({ nu: 0 }), RangeError, "nu is 0, expected a number ≥ 1e-9");
  assertThrows(
    () => sparseDithering({ nu: 1, rounding: "nearest" }),
    RangeError,
    "nu is 1, expected a number ≥ 1e-9 and < 1",
  );
  assertThrows(() => sparseDithering({ rounding: "up" as "random" }), TypeError, `rounding is "up"`);
});
