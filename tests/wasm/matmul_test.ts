import { assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { assertClose, cases, definition, depth, values } from "./products.ts";
import { heapBytes, held, tf, withStock } from "./stock.ts";

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
  const fused = () => tf.engine().runKernel("_FusedMatMul", { a, b: a }, { transposeB: true, activation: "softmax" });
  assertThrows(fused, Error, "Cannot apply softmax to a product: expected linear, relu, ");
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
