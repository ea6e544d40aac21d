import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { values } from "./products.ts";
import { heapBytes, held, tf, withStock } from "./stock.ts";

Deno.test("gather: equals the registered kernel for every axis, batch and type, and leaks nothing", () => {
  const cases = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }).chain((shape) =>
    fc.record({
      // A last axis longer than 16 goes by whole rows, a shorter one number by number.
      shape: fc.constantFrom(shape, [...shape, 17], [...shape, 40]),
      axis: fc.nat({ max: shape.length - 1 }),
      count: fc.integer({ min: 1, max: 7 }),
      batched: fc.boolean(),
      dtype: fc.constantFrom("float32" as const, "int32" as const, "bool" as const),
      seed: fc.nat(),
    })
  );
  fc.assert(
    fc.property(cases, ({ shape, axis, count, batched, dtype, seed }) => {
      const before = held();
      tf.tidy(() => {
        const numbers = tf.tensor(values(shape, seed).map((value) => 100 * value), shape);
        const x = dtype === "bool" ? numbers.greater(0) : numbers.cast(dtype);
        const batchDims = batched ? Math.min(axis, 1) : 0;
        const indexShape = [...shape.slice(0, batchDims), count];
        const indices = tf.tensor(
          values(indexShape, seed + 1).map((value) => Math.abs(1000 * value) % shape[axis]!),
          indexShape,
        ).toInt() as tf.Tensor1D;
        const ours = x.gather(indices, axis, batchDims);
        // The registered kernel leaves numbers unset when there are batches: it gathers one at a time here.
        const stock = withStock(() =>
          batchDims
            ? tf.stack(x.unstack().map((part, i) => part.gather(indices.gather(i) as tf.Tensor1D, axis - 1)))
            : x.gather(indices, axis)
        );
        assertEquals([ours.shape, ours.dtype], [stock.shape, dtype]);
        assertEquals(ours.dataSync(), stock.dataSync());
      });
      assertEquals(held(), before);
    }),
    { numRuns: 300 },
  );
});

Deno.test("gather: rows of nothing, and indices out of range, are as before", () => {
  tf.tidy(() => {
    assertEquals(tf.zeros([4, 3]).gather(tf.tensor1d([], "int32")).shape, [0, 3]);
    for (const index of [-1, 4]) {
      assertThrows(
        () => tf.zeros([4, 3]).gather(tf.tensor1d([index], "int32")),
        Error,
        `index value ${index} is not in`,
      );
    }
  });
});

Deno.test("gather: sees the tensors when the result makes the memory grow", () => {
  tf.tidy(() => {
    const grown = heapBytes();
    const x = tf.tensor2d(values([100], 1), [2, 50]);
    const rows = Math.ceil(2 * grown / 200);
    const out = x.gather(tf.fill([rows], 1, "int32"));
    assert(heapBytes() > grown);
    assertEquals(out.slice([rows - 1, 0], [1, 50]).dataSync(), x.slice([1, 0], [1, 50]).dataSync());
  });
});
