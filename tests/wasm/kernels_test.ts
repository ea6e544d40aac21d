import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { key, normal } from "../../random.ts";
import { heapBytes, held, tf, withStock } from "./stock.ts";

const values = (size: number, seed: number) => normal(key(seed), new Float32Array(size));

tf.enableProdMode(); // Which is how one tells tfjs not to advertise other packages when the cpu backend starts.

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
      const size = shape.reduce((a, b) => a * b, 1);
      const before = held();
      tf.tidy(() => {
        const numbers = tf.tensor(values(size, seed).map((value) => 100 * value), shape);
        const x = dtype === "bool" ? numbers.greater(0) : numbers.cast(dtype);
        const batchDims = batched ? Math.min(axis, 1) : 0;
        const indexShape = [...shape.slice(0, batchDims), count];
        const indices = tf.tensor(
          values(indexShape.reduce((a, b) => a * b, 1), seed + 1).map((value) => Math.abs(1000 * value) % shape[axis]!),
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
    const x = tf.tensor2d(values(100, 1), [2, 50]);
    const rows = Math.ceil(2 * grown / 200);
    const out = x.gather(tf.fill([rows], 1, "int32"));
    assert(heapBytes() > grown);
    assertEquals(out.slice([rows - 1, 0], [1, 50]).dataSync(), x.slice([1, 0], [1, 50]).dataSync());
  });
});

Deno.test("kernels: take tensors that were made on another backend", async () => {
  // So much that bringing it over grows the memory of the wasm backend.
  const rows = Math.ceil(1.2 * heapBytes() / 4000);
  await tf.setBackend("cpu");
  const x = tf.fill<tf.Rank.R2>([rows, 1000], 4),
    ones = tf.ones<tf.Rank.R2>([1, 1000]),
    index = tf.tensor1d([rows - 1], "int32");
  await tf.setBackend("wasm");
  tf.tidy(() => {
    const row = x.gather(index);
    assertEquals(row.dataSync(), new Float32Array(1000).fill(4));
    assertEquals(row.sqrt().matMul(ones, false, true).dataSync(), Float32Array.of(2000));
  });
  tf.dispose([x, ones, index]);
});

Deno.test("sqrt: the bits of Math.sqrt rounded once, for every length", () => {
  fc.assert(
    fc.property(fc.array(fc.float(), { minLength: 1, maxLength: 19 }), (numbers) => {
      tf.tidy(() => {
        const x = Float32Array.from(numbers);
        assertEquals(tf.sqrt(tf.tensor1d(x)).dataSync(), x.map(Math.sqrt));
      });
    }),
  );
});

Deno.test("sqrt: of whole numbers is what the registered kernel makes of them", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([4, 9], "int32");
    const sqrt = () => tf.engine().runKernel("Sqrt", { x }) as tf.Tensor;
    const ours = sqrt(), stock = withStock(sqrt);
    assertEquals([ours.dtype, ours.dataSync()], [stock.dtype, stock.dataSync()]);
  });
});

/** Variables after some steps along fixed gradients, one of which is missing now and then, and the optimizer's state. */
function descend(sizes: readonly number[], steps: number, named: boolean): Promise<Float32Array[]> {
  const optimizer = tf.train.adam(0.03, 0.8, 0.95, 1e-3);
  const variables = tf.tidy(() => sizes.map((size, i) => tf.variable(tf.tensor1d(values(size, i)))));
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const gradients = variables.map(({ name, size }, i) => ({
        name,
        tensor: ((step + i) % 4 === 3 ? null : tf.tensor1d(values(size, 100 * step + i))) as tf.Tensor,
      }));
      const record = Object.fromEntries(gradients.map(({ name, tensor }) => [name, tensor]));
      // tfjs declares a record of variables, and its own minimize passes one of gradients.
      optimizer.applyGradients(named ? record as Parameters<typeof optimizer.applyGradients>[0] : gradients);
    });
  }
  return optimizer.getWeights().then((state) => {
    const all = [...variables, ...state.map(({ tensor }) => tensor)];
    const result = all.map((tensor) => tensor.dataSync().slice() as Float32Array);
    state[0]!.tensor.dispose();
    optimizer.dispose();
    tf.dispose(variables);
    return result;
  });
}

Deno.test("adam: weights and state have the bits of tfjs's own steps, gradients missing or not, and nothing leaks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 13 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      async (sizes, steps, named) => {
        const before = held();
        const ours = await descend(sizes, steps, named);
        // The steps are taken before descend awaits anything.
        const stock = await withStock(() => descend(sizes, steps, named));
        assertEquals(ours, stock);
        assertEquals(held(), before);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("adam: from the second step on each variable takes one kernel", async () => {
  const optimizer = tf.train.adam(0.1), variables = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.scalar(3))];
  const step = () => optimizer.applyGradients(variables.map((x) => ({ name: x.name, tensor: x.mul(1) })));
  const kernels = async () => (await tf.profile(() => tf.tidy(step))).kernels.map(({ name }) => name);
  await kernels();
  assertEquals((await kernels()).filter((name) => name === "GradwireAdam").length, 2);
  optimizer.dispose();
  tf.dispose(variables);
});

Deno.test("adam: goes on from tfjs's own saved state, also on another backend", async () => {
  const [first, second] = [tf.train.adam(0.1), tf.train.adam(0.1)];
  const [x, y] = [tf.variable(tf.tensor1d([1, 2, 3])), tf.variable(tf.tensor1d([1, 2, 3]))];
  for (let i = 0; i < 4; i++) first.minimize(() => x.square().sum());
  withStock(() => {
    for (let i = 0; i < 4; i++) second.minimize(() => y.square().sum());
  });
  const third = tf.train.adam(0.1);
  await third.setWeights(await second.getWeights());
  for (let i = 0; i < 4; i++) {
    first.minimize(() => x.square().sum());
    third.minimize(() => y.square().sum());
  }
  assertEquals(x.dataSync(), y.dataSync());
  await tf.setBackend("cpu");
  first.minimize(() => x.square().sum());
  await tf.setBackend("wasm");
  third.minimize(() => y.square().sum());
  x.dataSync().forEach((value, i) => assert(Math.abs(value - y.dataSync()[i]!) < 1e-6));
});

Deno.test("training: a network in plain fit ends where tfjs's own kernels take it, and memory does not grow", async () => {
  const x = tf.tensor2d(values(40 * 37, 1), [40, 37]);
  const y = tf.tensor1d(values(40, 2).map((value) => Math.floor(Math.abs(9 * value)) % 5));
  const weightsAfter = async (epochs: number) => {
    const layer = (inputShape: number[], units: number, activation: "relu" | "softmax") =>
      tf.layers.dense({
        inputShape,
        units,
        activation,
        kernelInitializer: tf.initializers.glorotUniform({ seed: units }),
      });
    const model = tf.sequential({ layers: [layer([37], 11, "relu"), layer([11], 5, "softmax")] });
    model.compile({ optimizer: tf.train.adam(0.01), loss: "sparseCategoricalCrossentropy" });
    const options = { batchSize: 8, shuffle: false, verbose: 0, yieldEvery: "never" } as const;
    await model.fit(x, y, { ...options, epochs: 1 });
    const before = held(), heap = heapBytes();
    await model.fit(x, y, { ...options, epochs });
    assertEquals(held(), before);
    assertEquals(heapBytes(), heap);
    const weights = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
    model.optimizer.dispose();
    model.dispose();
    return weights;
  };
  // A thousand steps for memory; a few for the weights, since chaos multiplies the last bits of long runs.
  await weightsAfter(200);
  const ours = await weightsAfter(4), stock = await withStock(() => weightsAfter(4));
  ours.forEach((weight, i) => assert(Math.abs(weight - stock[i]!) < 1e-5, `${weight} and ${stock[i]}`));
  tf.dispose([x, y]);
});
