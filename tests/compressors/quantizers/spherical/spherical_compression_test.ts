import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, sphericalCompression } from "../../../../compressors/mod.ts";
import { cap } from "../../../../compressors/kernels/cap_search.ts";
import { fold, key, normal } from "../../../../random.ts";
import { suite } from "../../tools/suite.ts";

// A search costs some microseconds: fewer draws, and no vector of 61, which would take most of the time.
const sizes = [0, 1, 2, 3, 7, 13, 127];
suite(sphericalCompression({ alpha: 0.25, block: 5 }), { draws: 300, sizes });
suite(sphericalCompression({ alpha: 0.5, block: 6, norm: "log" }), { draws: 300, sizes });
suite(sphericalCompression({ alpha: 0.1, block: 1 }), { draws: 300, sizes });
suite(sphericalCompression({ alpha: 0.3, block: 3, unbiased: true }), { draws: 1000, sizes });
suite(sphericalCompression({ alpha: 0.5, block: 4, unbiased: true, norm: "log" }), { draws: 1000, sizes });

Deno.test("every draw's error is at most alpha, and the mean is 2 − a − 2 √(1 − a) m", () => {
  for (const [alpha, d] of [[0.1, 3], [0.25, 5], [0.9, 9]] as const) {
    const compressor = sphericalCompression({ alpha, block: d }), x = new Float32Array(d), draws = 10_000;
    let worst = 0, mean = 0;
    for (let draw = 0; draw < draws; draw++) {
      normal(fold(key(4), draw % 10), x);
      const y = decompress(compressor, compress(compressor, x, key(draw)), key(draw), d);
      const error = x.reduce((s, v, i) => s + (y[i]! - v) ** 2, 0) / x.reduce((s, v) => s + v * v, 0);
      worst = Math.max(worst, error), mean += error / draws;
    }
    assert(worst <= alpha * (1 + 1e-9), `${worst} above ${alpha}`);
    assert(worst > 0.97 * alpha, `the worst of ${draws} is ${worst}: the bound is not reached`);
    const expected = 2 - alpha - 2 * Math.sqrt(1 - alpha) * cap(alpha, d).mean;
    assert(Math.abs(mean / expected - 1) < 0.03, `mean ${mean}, expected ${expected}`);
  }
});

Deno.test("unbiased, ω is 1/m² − 1 to 3 % for every vector", () => {
  // Deviation of a draw's error relative to its mean: at most 0.7, so 3 % is 3 of the mean's deviations at least.
  for (
    const [alpha, d, omega, draws] of [[0.1, 2, 0.0352, 10_000], [0.1, 4, 0.0644, 5000], [0.1, 6, 0.0773, 0], [
      0.25,
      8,
      0.244,
      1500,
    ]] as const
  ) {
    const compressor = sphericalCompression({ alpha, block: d, unbiased: true });
    assert(Math.abs(compressor.omega(d) / omega - 1) < 0.003);
    for (const x of draws === 0 ? [] : [new Float32Array(d).fill(1), new Float32Array(d).fill(-2, 0, 1)]) {
      let sum = 0;
      for (let draw = 0; draw < draws; draw++) {
        const y = decompress(compressor, compress(compressor, x, key(draw)), key(draw), d);
        sum += x.reduce((s, v, i) => s + (y[i]! - v) ** 2, 0);
      }
      const measured = sum / draws / x.reduce((s, v) => s + v * v, 0);
      assert(Math.abs(measured / omega - 1) < 0.03, `${measured}, declared ${omega}`);
    }
  }
});

Deno.test("bits are −log₂ P + 1.6 a block, and norms", () => {
  const size = 40_000, x = normal(key(1), new Float32Array(size));
  for (const [alpha, block, norms] of [[0.25, 6, 3], [0.1, 4, 4]] as const) {
    const compressor = sphericalCompression({ alpha, block }), message = compress(compressor, x, key(2));
    // The cap that rounded norms leave of alpha costs some tenths of a bit.
    const most = -Math.log2(cap(alpha, block).probability) + 1.6 + norms, bits = 8 * message.length / (size / block);
    assert(bits < most, `${bits} bits a block, expected at most ${most}`);
    const decoded = decompress(compressor, message, key(2), size);
    let error = 0, norm2 = 0;
    for (let i = 0; i < size; i++) error += (decoded[i]! - x[i]!) ** 2, norm2 += x[i]! ** 2;
    assert(error <= alpha * norm2);
  }
  // One block: 31 bits of norm, or 8 in logarithm.
  const d = 8, v = x.subarray(0, d);
  for (const [norm, most] of [["float32", 31], ["log", 8]] as const) {
    const compressor = sphericalCompression({ alpha: 0.25, block: d, norm });
    let bytes = 0;
    for (let draw = 0; draw < 500; draw++) bytes += compress(compressor, v, key(draw)).length;
    // The last byte is half empty on average.
    const bits = 8 * bytes / 500, bound = most + 4 - Math.log2(cap(0.25, d).probability) + 1.6;
    assert(bits < bound, `${bits} bits, expected at most ${bound}`);
  }
});

Deno.test("blocks of every size relative to the largest keep the bound", () => {
  // Many small blocks beside a large one: together they are half of the vector.
  const block = 4, size = 4 * 5001 + 3, compressor = sphericalCompression({ alpha: 0.25, block });
  const x = normal(key(1), new Float32Array(size)).map((v, i) => i < block ? v * 100 : i > 15_000 ? v * 1e-30 : v);
  const y = decompress(compressor, compress(compressor, x, key(2)), key(2), size);
  for (let from = 0; from < size; from += block) {
    let error = 0, norm2 = 0;
    for (let i = from; i < Math.min(from + block, size); i++) error += (y[i]! - x[i]!) ** 2, norm2 += x[i]! ** 2;
    assert(error <= 0.25 * norm2 * (1 + 1e-6), `block at ${from}: ${error / norm2}`);
  }
});

Deno.test("a spent budget sends blocks as they are, and the whole where that is shorter", () => {
  const size = 1003, x = normal(key(1), new Float32Array(size));
  const some = sphericalCompression({ alpha: 0.25, block: 6, budget: 1 }), message = compress(some, x, key(2));
  const y = decompress(some, message, key(2), size);
  let exact = 0;
  for (let from = 0; from < size; from += 6) {
    exact += y.subarray(from, from + 6).every((v, i) => v === x[from + i]) ? 1 : 0;
  }
  // e⁻¹ of 168 blocks: 62, deviation 6.
  assert(30 < exact && exact < 95, `${exact} blocks as they are`);
  const none = sphericalCompression({ alpha: 0.1, block: 6, budget: 1e-3, norm: "log" }),
    dense = compress(none, x, key(2));
  assert(dense.length <= 4 * size + 8, `${dense.length} bytes`);
  assertEquals(decompress(none, dense, key(2), size), x);
});

Deno.test("the norms of blocks are rounded by draws of their own", () => {
  // In blocks of one number only the norms err, relative to the first, the largest. 4000 products tell 0.08 from 0.
  const c = sphericalCompression({ alpha: 0.6, block: 1, unbiased: true }), x = Float32Array.of(1, 0.7, 0.7, 0.7, 0.7);
  let product = 0, squares = 0;
  for (let i = 0; i < 4000; i++) {
    const k = fold(key(31), i), y = decompress(c, compress(c, x, k), k, 5);
    product += (y[1]! - x[1]!) * (y[2]! - x[2]!) + (y[3]! - x[3]!) * (y[4]! - x[4]!);
    squares += x.reduce((sum, value, j) => sum + (y[j]! - value) ** 2, 0);
  }
  assert(squares > 0 && Math.abs(product) < 0.1 * squares / 2, `a correlation of ${2 * product / squares}`);
});

Deno.test("golden bytes", () => {
  const x = Float32Array.of(1, -2, 3, -4), long = normal(key(3), new Float32Array(50));
  assertEquals(compress(sphericalCompression({ alpha: 0.25, block: 4 }), x, key(7)).toHex(), "815e8a5e2a");
  assertEquals(compress(sphericalCompression({ alpha: 0.25, block: 4, norm: "log" }), x, key(7)).toHex(), "c210");
  assertEquals(
    compress(sphericalCompression({ alpha: 0.25, block: 3, unbiased: true }), x, key(7)).toHex(),
    "80ffff809eee",
  );
  assertEquals(
    compress(sphericalCompression({ alpha: 0.5, block: 7 }), long, key(7)).toHex(),
    "808ed198f214edca9627e144894c04",
  );
});

Deno.test("options out of range are refused by name", () => {
  for (const alpha of [0, 1, NaN, -0.5]) assertThrows(() => sphericalCompression({ alpha }), RangeError, "alpha is");
  for (const block of [0, 1.5, 1e6]) {
    assertThrows(() => sphericalCompression({ alpha: 0.5, block }), RangeError, "block is");
  }
  assertThrows(() => sphericalCompression({ alpha: 0.1, block: 100 }), RangeError, "choose a smaller block");
  assertThrows(() => sphericalCompression({ alpha: 0.1, norm: "int8" as "log" }), TypeError, `norm is "int8"`);
  assertThrows(() => sphericalCompression({ alpha: 0.1, budget: 0 }), RangeError, "budget is 0");
});
