import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { key, normal } from "../../random.ts";
import { heapBytes, held, tf, withStock } from "./stock.ts";

interface Case {
  readonly a: number[];
  readonly b: number[];
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Sizes around the kernel's tiles (4 × 8) and panels (384 deep), and leading axes that broadcast. */
const cases: fc.Arbitrary<Case> = fc.record({
  m: fc.integer({ min: 0, max: 21 }),
  k: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 21 }) }, fc.constantFrom(383, 384, 385, 770)),
  n: fc.integer({ min: 0, max: 35 }),
  batch: fc.constantFrom<[number[], number[]]>(
    [[], []],
    [[], []],
    [[3], [3]],
    [[3], [1]],
    [[1], [2]],
    [[3], []],
    [[], [2, 2]],
    [[2, 1], [1, 3]],
    [[2, 3], [2, 1]],
    [[0], [0]],
  ),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
}).map(({ m, k, n, batch: [batchA, batchB], transposeA, transposeB }) => ({
  a: [...batchA, ...(transposeA ? [k, m] : [m, k])],
  b: [...batchB, ...(transposeB ? [n, k] : [k, n])],
  transposeA,
  transposeB,
}));

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const values = (shape: readonly number[], seed: number) => normal(key(seed), new Float32Array(size(shape)));
const depth = ({ a, transposeA }: Case) => a.at(transposeA ? -2 : -1)!;

/** The product by its definition, in double precision, broadcast like numpy, and the sum of the sizes of its terms. */
function definition({ a, b, transposeA, transposeB }: Case, x: Float32Array, y: Float32Array) {
  const [m, k] = transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
  const n = transposeB ? b.at(-2)! : b.at(-1)!;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.slice(0, -2), b.slice(0, -2));
  const out = new Float64Array(size(batch) * m * n), bound = new Float64Array(out.length);
  const matrix = (shape: readonly number[], index: number) => {
    let at = 0, step = 1;
    for (let axis = batch.length - 1, own = shape.length - 3; axis >= 0; axis--, own--) {
      const i = index % batch[axis]!;
      index = Math.floor(index / batch[axis]!);
      if (own >= 0) {
        if (shape[own] !== 1) at += i * step;
        step *= shape[own]!;
      }
    }
    return at;
  };
  for (let g = 0; g < size(batch); g++) {
    const from = matrix(a, g) * m * k, and = matrix(b, g) * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let p = 0; p < k; p++) {
          const term = x[from + (transposeA ? p * m + i : i * k + p)]! * y[and + (transposeB ? j * k + p : p * n + j)]!;
          out[(g * m + i) * n + j]! += term;
          bound[(g * m + i) * n + j]! += Math.abs(term);
        }
      }
    }
  }
  return { out, bound, shape: [...batch, m, n] };
}

/** The error of a float32 sum of k products is at most k · 2⁻²⁴ of the sum of their sizes; twice that for two sums. */
function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, bound: ArrayLike<number>, k: number) {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    const allowed = 2 ** -23 * (k + 4) * (bound[i]! + 1e-30);
    assert(
      Math.abs(actual[i]! - expected[i]!) <= allowed,
      `number ${i} is ${actual[i]}, expected ${expected[i]} ± ${allowed}`,
    );
  }
}

Deno.test("matMul: equals its definition for every shape, transposition and broadcast, and leaks nothing", () => {
  fc.assert(
    fc.property(cases, fc.nat(), (c, seed) => {
      const x = values(c.a, seed), y = values(c.b, seed + 1);
      const before = held();
      const a = tf.tensor(x, c.a), b = tf.tensor(y, c.b);
      const { transposeA, transposeB } = c;
      const product = tf.engine().runKernel("BatchMatMul", { a, b }, { transposeA, transposeB }) as tf.Tensor;
      const { out, bound, shape } = definition(c, x, y);
      assertEquals(product.shape, shape);
      assertClose(product.dataSync(), out, bound, depth(c));
      assertEquals(a.dataSync(), x);
      assertEquals(b.dataSync(), y);
      tf.dispose([a, b, product]);
      assertEquals(held(), before);
    }),
    { numRuns: 400 },
  );
});

Deno.test("matMul: all four transpositions give the same bits, which are XNNPACK's", () => {
  tf.tidy(() => {
    const a = tf.tensor2d(values([37, 401], 1), [37, 401]), b = tf.tensor2d(values([401, 29], 2), [401, 29]);
    const xnnpack = withStock(() => a.matMul(b)).dataSync();
    const [at, bt] = [a.transpose<tf.Tensor2D>(), b.transpose<tf.Tensor2D>()];
    assertEquals(a.matMul(b).dataSync(), xnnpack);
    assertEquals(at.matMul(b, true, false).dataSync(), xnnpack);
    assertEquals(a.matMul(bt, false, true).dataSync(), xnnpack);
    assertEquals(at.matMul(bt, true, true).dataSync(), xnnpack);
  });
});

const activations: Record<string, (x: number, weight: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  elu: (x) => x >= 0 ? x : Math.expm1(x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  leakyrelu: (x) => x >= 0 ? x : 0.3 * x,
  prelu: (x, weight) => x >= 0 ? x : weight * x,
};

// Not against the registered kernel, whose scalar loop adds the wrong elements of the bias.
Deno.test("fused matMul: with bias and activation equals its definition, and leaks nothing", () => {
  fc.assert(
    fc.property(
      cases,
      fc.constantFrom(...Object.keys(activations)),
      fc.boolean(),
      fc.nat(),
      (c, name, biased, seed) => {
        const x = values(c.a, seed), y = values(c.b, seed + 1);
        const { out, bound, shape } = definition(c, x, y);
        // The activation kernels are tfjs's own, and refuse what is empty.
        fc.pre(name === "linear" || out.length > 0);
        const n = shape.at(-1)!;
        const bias = values([n], seed + 2), weights = values([n], seed + 3);
        const before = held();
        tf.tidy(() => {
          const inputs = {
            a: tf.tensor(x, c.a),
            b: tf.tensor(y, c.b),
            ...(biased ? { bias: tf.tensor1d(bias) } : {}),
            ...(name === "prelu" ? { preluActivationWeights: tf.tensor1d(weights) } : {}),
          };
          const { transposeA, transposeB } = c;
          const attrs = { transposeA, transposeB, activation: name, leakyreluAlpha: 0.3 };
          const product = tf.engine().runKernel("_FusedMatMul", inputs, attrs) as tf.Tensor;
          assertEquals(product.shape, shape);
          const expected = out.map((value, i) =>
            activations[name]!(value + (biased ? bias[i % n]! : 0), weights[i % n]!)
          );
          // The bias is below 6 in size, and so are prelu's weights; other slopes are at most 1.
          const sizes = bound.map((value) => (value + 6) * (name === "prelu" ? 6 : 1));
          assertClose(product.dataSync(), expected, sizes, depth(c));
        });
        assertEquals(held(), before);
      },
    ),
    { numRuns: 400 },
  );
});

Deno.test("matMul: NaN and infinity go through, so that a gradient that is not finite is noticed", () => {
  for (const [transposeA, transposeB] of [[false, false], [true, false], [false, true], [true, true]] as const) {
    tf.tidy(() => {
      for (const bad of [NaN, Infinity, -Infinity]) {
        const a = tf.tensor2d(values([9, 9], 1).fill(bad, 40, 41), [9, 9]);
        const product = a.matMul(tf.ones<tf.Rank.R2>([9, 9]), transposeA, transposeB).dataSync();
        assertEquals([...product].filter((value) => Object.is(value, bad)).length, 9);
      }
    });
  }
});

Deno.test("matMul: gradients are those of the registered kernels", () => {
  tf.tidy(() => {
    const x = tf.tensor2d(values([13, 30], 1), [13, 30]), w = tf.tensor2d(values([30, 11], 2), [30, 11]);
    const gradients = () => tf.grads((x: tf.Tensor, w: tf.Tensor) => x.matMul(w).square().sum())([x, w]);
    const ours = gradients(), stock = withStock(gradients);
    ours.forEach((gradient, i) => {
      const expected = stock[i]!.dataSync();
      assertClose(gradient.dataSync(), expected, new Float32Array(expected.length).fill(3000), 30);
    });
  });
});

Deno.test("matMul: what the registered kernel refuses is refused, with the reason", () => {
  const before = held();
  const [a, b, ints] = [tf.zeros([2, 3]), tf.zeros([4, 5]), tf.zeros<tf.Rank.R2>([3, 3], "int32")];
  assertThrows(() => tf.engine().runKernel("BatchMatMul", { a, b }, {}), Error, "inner sizes 3 and 4 differ");
  assertThrows(() => ints.matMul(ints, true, false), Error, "float32");
  tf.dispose([a, b, ints]);
  assertEquals(held(), before);
});

Deno.test("matMul: WebAssembly memory does not grow over thousands of products", () => {
  const a = tf.zeros<tf.Rank.R2>([64, 200]), b = tf.zeros<tf.Rank.R2>([64, 100]);
  const run = (times: number) => {
    for (let i = 0; i < times; i++) a.matMul(b, true, false).dispose();
    return heapBytes();
  };
  const warm = run(50);
  // 80 kB each: if one in ten were leaked, the 16 MiB that the backend starts with would be exceeded.
  assertEquals(run(3000), warm);
  tf.dispose([a, b]);
});
