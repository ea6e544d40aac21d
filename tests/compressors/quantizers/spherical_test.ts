import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, decompress, sphericalCompression } from "../../../compressors/mod.ts";
import { candidate, Candidates, cap, riceParameter, searchOnce } from "../../../compressors/kernels/cap_search.ts";
import { normFrom31, normTo31 } from "../../../compressors/coding/norm.ts";
import { fold, key, normal } from "../../../random.ts";
import { compressorProperties } from "../../../testing/mod.ts";

// A search costs some microseconds: fewer draws, and no vector of 61, which would take most of the time.
const sizes = [0, 1, 2, 3, 7, 13, 127];
for (
  const [options, draws] of [
    [{ alpha: 0.25, block: 5 }, 300],
    [{ alpha: 0.5, block: 6, norm: "log" }, 300],
    [{ alpha: 0.1, block: 1 }, 300],
    [{ alpha: 0.3, block: 3, unbiased: true }, 1000],
    [{ alpha: 0.5, block: 4, unbiased: true, norm: "log" }, 1000],
  ] as const
) {
  for (const { name, check } of compressorProperties(sphericalCompression(options), { draws, sizes })) {
    Deno.test(name, check);
  }
}

Deno.test("cap: P, m, Rice's parameter and its bits are those of methods.md 5", () => {
  for (
    const [a, d, probability, mean, rice, bits] of [
      [0.1, 2, 0.1024, 0.98284, 3, 4.728],
      [0.1, 4, 6.923e-3, 0.96926, 7, 8.698],
      [0.1, 6, 5.572e-4, 0.96344, 10, 12.299],
      [0.25, 8, 1.268e-3, 0.89655, 9, 11.093],
      [0.5, 12, 3.436e-3, 0.75617, 8, 9.707],
      [0.5, 20, 1.689e-4, 0.73842, 12, 14.002],
    ] as const
  ) {
    const c = cap(a, d);
    assert(Math.abs(c.probability / probability - 1) < 5e-4, `P(${a}, ${d}) is ${c.probability}`);
    assert(Math.abs(c.mean - mean) < 1e-5, `m(${a}, ${d}) is ${c.mean}`);
    assertEquals(riceParameter(c.probability), rice);
    const expected = rice + 1 / (1 - (1 - c.probability) ** (2 ** rice));
    assert(Math.abs(expected - bits) < 1e-3, `${expected} bits`);
    assert(expected <= -Math.log2(c.probability) + 1.6);
  }
  // d = 3: a cap of height h covers h/2 of the sphere, and its mean height is 1 − h/2.
  const h = 1 - Math.sqrt(1 - 0.99), three = cap(0.99, 3);
  assert(Math.abs(three.probability - h / 2) < 1e-14 && Math.abs(three.mean - (1 - h / 2)) < 1e-14);
});

Deno.test("candidates: the number of tries is geometric, and each comes back from its number alone", () => {
  const runs = 4000, x = new Float32Array(4), candidates = new Candidates(), point = new Float32Array(4);
  const { probability } = cap(0.1, 4), threshold = Math.sqrt(0.9);
  let sum = 0;
  for (let run = 0; run < runs; run++) {
    normal(fold(key(1), run), x);
    const norm = Math.hypot(...x);
    candidates.reset(fold(key(2), run), 4);
    const t = candidates.search(x, 0, threshold * norm, 1e6);
    sum += t + 1;
    candidate(fold(key(2), run), t, 4, point);
    assert(x.reduce((s, v, i) => s + v * point[i]!, 0) >= threshold * norm);
  }
  // The deviation of T is 1/P: 5 of the mean's is 8 % at 4000 runs.
  assert(Math.abs(sum / runs * probability - 1) < 5 / Math.sqrt(runs), `E T is ${sum / runs}, 1/P ${1 / probability}`);
  candidates.reset(key(3), 3);
  assertEquals(candidates.search(Float32Array.of(1, 0, 0), 0, 2, 1000), -1);
});

Deno.test("candidates: the search that makes few of them whole finds the same one", () => {
  const candidates = new Candidates();
  for (const [a, d] of [[0.1, 2], [0.1, 3], [0.2, 5], [0.3, 8], [0.9, 6], [0.5, 1]] as const) {
    const { probability } = cap(a, d), most = Math.ceil(2 / probability);
    let found = 0;
    for (let run = 0; run < 60; run++) {
      const x = normal(fold(key(1), run), new Float32Array(d)).map((v, i) =>
        run % 3 === 0 ? v : i === 1 ? 30 * v : v * v
      );
      const norm = Math.hypot(...x), threshold = Math.sqrt(1 - a), k = fold(key(2), run);
      candidates.reset(k, d);
      const t = candidates.search(x, 0, threshold * norm, most);
      assertEquals(searchOnce(k, x, threshold, norm, most), t);
      if (t >= 0) found++;
    }
    assert(30 < found, `${found} of 60 found`);
  }
});

Deno.test("sphericalCompression: every draw's error is at most alpha, and the mean is 2 − a − 2 √(1 − a) m", () => {
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

Deno.test("sphericalCompression: unbiased, ω is 1/m² − 1 to 3 % for every vector", () => {
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

Deno.test("sphericalCompression: bits are −log₂ P + 1.6 a block, and norms", () => {
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

Deno.test("sphericalCompression: blocks of every size relative to the largest keep the bound", () => {
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

Deno.test("sphericalCompression: a spent budget sends blocks as they are, and the whole where that is shorter", () => {
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

Deno.test("norms of 31 bits", () => {
  for (const value of [0, 1, 1e-45, 1e-40, 3.4e38, 1e30]) assertEquals(normFrom31(normTo31(value)), Math.fround(value));
  for (const value of [3.5e38, 1e39, 1e42]) {
    const back = normFrom31(normTo31(value));
    assert(Math.abs(back / value - 1) < 2e-6 && normTo31(value) < 2 ** 31 - 1, `${value}: ${back}`);
  }
});

Deno.test("sphericalCompression: golden bytes", () => {
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

Deno.test("sphericalCompression: options out of range are refused by name", () => {
  for (const alpha of [0, 1, NaN, -0.5]) assertThrows(() => sphericalCompression({ alpha }), RangeError, "alpha is");
  for (const block of [0, 1.5, 1e6]) {
    assertThrows(() => sphericalCompression({ alpha: 0.5, block }), RangeError, "block is");
  }
  assertThrows(() => sphericalCompression({ alpha: 0.1, block: 100 }), RangeError, "choose a smaller block");
  assertThrows(() => sphericalCompression({ alpha: 0.1, norm: "int8" as "log" }), TypeError, `norm is "int8"`);
  assertThrows(() => sphericalCompression({ alpha: 0.1, budget: 0 }), RangeError, "budget is 0");
});
