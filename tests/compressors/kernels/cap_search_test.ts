import { assert, assertEquals } from "@std/assert/mod.js";
import { candidate, Candidates, cap, searchOnce } from "../../../compressors/kernels/cap_search.ts";
import { riceBitsOf } from "../../../compressors/coding/rice.ts";
import { fold, key, normal } from "../../../random.ts";

Deno.test("the probability and the mean of caps, Rice's parameter and its bits are the tabled ones", () => {
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
    assertEquals(riceBitsOf(c.probability), rice);
    const expected = rice + 1 / (1 - (1 - c.probability) ** (2 ** rice));
    assert(Math.abs(expected - bits) < 1e-3, `${expected} bits`);
    assert(expected <= -Math.log2(c.probability) + 1.6);
  }
  // d = 3: a cap of height h covers h/2 of the sphere, and its mean height is 1 − h/2.
  const h = 1 - Math.sqrt(1 - 0.99), three = cap(0.99, 3);
  assert(Math.abs(three.probability - h / 2) < 1e-14 && Math.abs(three.mean - (1 - h / 2)) < 1e-14);
});

Deno.test("the number of tries is geometric, and each comes back from its number alone", () => {
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

Deno.test("the search that makes few of them whole finds the same one", () => {
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
