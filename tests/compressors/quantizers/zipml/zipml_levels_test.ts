import { cost } from "./cost.ts";
import { assert, assertAlmostEquals } from "@std/assert/mod.js";
import { stochasticLevels } from "../../../../compressors/mod.ts";
import { bestLevels } from "../../../../compressors/kernels/best_levels.ts";
import { extremes } from "../../../../compressors/kernels/sums.ts";
import { zipmlLevels } from "../../../../compressors/quantizers/zipml/zipml_levels.ts";
import { key, uniform } from "../../../../random.ts";
import { adversarialKinds, adversarialVector } from "../../../../testing/mod.ts";
import { draws, gaussian } from "../../tools/draws.ts";

/** The k levels that are chosen for a vector. */
function levelsFor(x: Float32Array, k: number): Float64Array {
  const { least, most } = extremes(x);
  return zipmlLevels(x, k, least, most);
}

/** The least cost of k of the numbers as levels, by trying all. */
function bruteForce(x: number[], k: number): number {
  const sorted = [...x].sort((a, b) => a - b), last = sorted.length - 1;
  let best = Infinity;
  const choose = (chosen: number[], from: number) => {
    if (chosen.length === k - 1) best = Math.min(best, cost(x, [...chosen, sorted[last]!]));
    else for (let i = from; i < last; i++) choose([...chosen, sorted[i]!], i + 1);
  };
  choose([sorted[0]!], 1);
  return best;
}

/** The least cost of k of the numbers as levels, by the dynamic programme with every one of them as a candidate. */
function bestCost(x: Float32Array, k: number): number {
  const points = Float64Array.from(x).sort();
  const prefix = (f: (v: number) => number) => {
    let total = 0;
    return points.map((v) => {
      const before = total;
      total += f(v);
      return before;
    });
  };
  return cost(x, bestLevels(points, k, prefix(() => 1), prefix((v) => v), prefix((v) => v * v)));
}

Deno.test("the dynamic programme equals trying all", () => {
  for (let seed = 0; seed < 30; seed++) {
    const x = Array.from(gaussian(9, seed), (v) => seed % 3 ? Math.fround(v) : Math.round(2 * v));
    const distinct = new Set(x).size;
    for (const k of [2, 3, 4, 5].filter((k) => k <= distinct)) {
      const found = cost(x, levelsFor(Float32Array.from(x), k));
      assertAlmostEquals(found, bruteForce(x, k), 1e-5);
    }
  }
});

Deno.test("large vectors: never worse than equal spacing, and near the optimum of all numbers", () => {
  for (const kind of adversarialKinds.filter((kind) => kind !== "largest")) {
    const x = adversarialVector(kind, 5000);
    for (const k of [3, 8, 16]) {
      const least = Math.min(...x), most = Math.max(...x);
      const equal = Array.from({ length: k }, (_, i) => least + (most - least) * i / (k - 1));
      if (least === most) continue;
      const found = cost(x, levelsFor(x, k));
      assert(found <= cost(x, equal) * (1 + 1e-5), `${kind}, ${k} levels`);
    }
  }
  const x = gaussian(5000);
  for (const k of [4, 16]) {
    const found = cost(x, levelsFor(x, k)), best = bestCost(x, k);
    assert(found < 1.03 * best, `${k} levels: ${found / x.length}, optimum ${best / x.length}`);
    const uniform = draws(stochasticLevels({ levels: k }), x, 5).error;
    assert(found < (k === 16 ? 0.6 : 0.9) * uniform, `${found / uniform} of equal spacing`);
  }
});

Deno.test("the variance is the least for up to 256 numbers, and within 1.4 % of it at up to 16 levels of more", () => {
  const shapes: ((z: Float32Array) => Float32Array)[] = [
    (z) => z,
    (z) => z.map((v) => Math.sign(v) * Math.exp(2 * Math.abs(v))),
    (z) => uniform(key(3), z),
  ];
  for (const shape of shapes) {
    for (const [size, most] of [[256, 1 + 1e-6], [1000, 1.014]] as const) {
      const x = shape(gaussian(size, size));
      for (const k of [3, 4, 8, 16]) {
        const ratio = cost(x, levelsFor(x, k)) / bestCost(x, k);
        assert(ratio <= most, `${k} levels of ${size} numbers cost ${ratio} times the least`);
      }
    }
  }
});
