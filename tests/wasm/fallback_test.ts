import { assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { native } from "../../wasm/backend.ts";
import { assertClose, cases, definition, depth, size, values } from "./products.ts";
import { held, tf } from "./stock.ts";

// As on a page with threads, the backend's memory cannot be had.
const backend = tf.backend() as Parameters<typeof native>[0];
const module = backend.wasm as unknown as { asm: WebAssembly.Exports };
const withoutMemory = Object.entries(module.asm).filter(([, value]) => !(value instanceof WebAssembly.Memory));
module.asm = Object.fromEntries(withoutMemory);

Deno.test("without the SIMD kernels, transposed products go through transposition and leak nothing", () => {
  assertEquals(native(backend), null);
  fc.assert(
    fc.property(cases, fc.nat(), (c, seed) => {
      // What remains is tfjs's own product, which knows one leading axis and no empty tensors.
      fc.pre(size(c.a) > 0 && size(c.b) > 0 && c.a.length <= 3 && c.b.length <= 3);
      const x = values(c.a, seed), y = values(c.b, seed + 1);
      const before = held();
      tf.tidy(() => {
        const product = tf.tensor(x, c.a).matMul(tf.tensor(y, c.b), c.transposeA, c.transposeB);
        const { out, bound, shape } = definition(c, x, y);
        assertEquals(product.shape, shape);
        assertClose(product.dataSync(), out, bound, depth(c));
      });
      assertEquals(held(), before);
    }),
    { numRuns: 100 },
  );
});

Deno.test("without the SIMD kernels, square roots and Adam are tfjs's own", () => {
  tf.tidy(() => assertEquals(tf.tensor1d([4, 9]).sqrt().dataSync(), Float32Array.of(2, 3)));
  const optimizer = tf.train.adam(0.1), x = tf.variable(tf.scalar(1));
  for (let i = 0; i < 3; i++) optimizer.minimize(() => x.square());
  assertClose(x.dataSync(), [0.7], [1e4], 1);
});
