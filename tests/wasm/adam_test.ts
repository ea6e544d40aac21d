import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { values } from "./products.ts";
import { held, tf, withStock } from "./stock.ts";

/** Variables after some steps along fixed gradients, one of which is missing now and then, and the optimizer's state. */
function descend(sizes: readonly number[], steps: number, named: boolean): Promise<Float32Array[]> {
  const optimizer = tf.train.adam(0.03, 0.8, 0.95, 1e-3);
  const variables = tf.tidy(() => sizes.map((size, i) => tf.variable(tf.tensor1d(values([size], i)))));
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const gradients = variables.map(({ name, size }, i) => ({
        name,
        tensor: ((step + i) % 4 === 3 ? null : tf.tensor1d(values([size], 100 * step + i))) as tf.Tensor,
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
