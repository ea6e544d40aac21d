/** Optimizers of a user's own: what they remember, in whatever form, is part of a step, and of a checkpoint or refused there. */

import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { InArrays, InEntries, InList, InMap, Inside, InTensors, type Own, trainees } from "./own_optimizers.ts";

await tf.setBackend("cpu");

const classes = [InEntries, InList, InMap, InTensors, InArrays, Inside];

for (const make of classes) {
  Deno.test(`an optimizer that remembers ${make.className}: a refused step changes nothing of it`, async () => {
    for (const at of [0, 2]) {
      const [calm, struck] = [trainees(() => new make()), trainees(() => new make(), at)];
      const tensors: number[] = [];
      for (let s = 0; s < 4; s++) {
        await Promise.all(calm.map(({ step }) => step()));
        if (s === at) {
          const before = tf.memory().numTensors;
          await Promise.all(struck.map(({ step }) => assertRejects(step, RangeError, `Cannot take step ${at}`)));
          assertEquals(struck.map(({ optimizer }) => optimizer.iterations), [at, at]);
          assertEquals(struck.map(({ inner }) => (inner as Own).t), [at, at]);
          tensors.push(before, tf.memory().numTensors);
        }
        await Promise.all(struck.map(({ step }) => step()));
        assertEquals(struck.map(({ values }) => values()), calm.map(({ values }) => values()));
      }
      assert(tensors[1]! <= tensors[0]!, `${tensors[1]! - tensors[0]!} tensors are left of the refused step`);
    }
  });
}
