import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { naturalCompression } from "../../../compressors/mod.ts";
import {
  diana,
  localSgd,
  type Method,
  restoreCheckpoint,
  saveCheckpoint,
  weightsDigest,
} from "../../../optimizers/mod.ts";
import { edited, pair, refusals, save, single, stepAll, trained } from "./checkpoints/trainees.ts";

await tf.setBackend("cpu");

Deno.test("if what one rank restored is wrong, all ranks refuse at the next step, and are as before", async () => {
  const method = () => diana(naturalCompression()) as Method;
  const [files, older] = [await trained(3, { method }), await trained(2, { method })];
  // The same steps from another start: other slots, other memories, other weights.
  const other = await trained(3, { method, start: 2 });
  const narrow = await trained(3, { method, shapes: [[2, 2], [2]] }), fresh = await trained(0, { method });
  const flipped = edited(files[1]!, ({ tensors }) => tensors["slot/accumulatedFirstMoment.0"]!.values[1]! += 1);
  for (
    const [what, file, why] of [
      ["an older file", older[1]!, "restored.step differs: rank 0 has 3, rank 1 has 2"],
      ["another run's", other[1]!, "restored.values (digest) differs: rank 0 has "],
      ["an edited slot", flipped, "slots (digest) differs"],
      ["a file of before the first step", fresh[1]!, 'rank 1 has "nothing"'],
      ["nothing", undefined, "rank 0 opens its first step, new or restored, rank 1 opens a step"],
    ] as const
  ) {
    const ranks = pair({ method }), twin = pair({ method });
    await stepAll(ranks), await stepAll(twin);
    const before = ranks.map(({ state }) => state());
    restoreCheckpoint(ranks[0]!.optimizer, files[0]!, ranks[0]!.variables);
    if (file) restoreCheckpoint(ranks[1]!.optimizer, file, ranks[1]!.variables);
    for (const error of await refusals(ranks)) assert(error.includes(why), `${what}: ${error}`);
    // The weights, the slots and the method's memories are as before, and training goes on as if nothing had been.
    assertEquals(ranks.map(({ state }) => state()), before, what);
    await stepAll(ranks), await stepAll(twin);
    assertEquals(ranks.map(({ state }) => state()), twin.map(({ state }) => state()), what);
  }
  // Where the optimizer knows its variables, another model's file is refused at once.
  const known = pair({ method });
  await stepAll(known);
  assertThrows(() => restoreCheckpoint(known[0]!.optimizer, narrow[0]!), Error, "variable 1 is");
});

Deno.test("another model's checkpoint, restored before the variables are known, is refused on all ranks in the next step", async () => {
  const files = await trained(2), narrow = await trained(2, { shapes: [[2, 2], [2]] });
  for (const wrong of [[0], [1], [0, 1]]) {
    const ranks = pair(), before = ranks.map(({ state }) => state());
    ranks.forEach(({ optimizer }, rank) =>
      restoreCheckpoint(optimizer, (wrong.includes(rank) ? narrow : files)[rank]!)
    );
    for (const error of await refusals(ranks)) {
      assert(error.includes("Cannot restore the state: variable 1 is "), error);
      if (wrong.length === 1) assert(error.includes(`rank ${wrong[0]} has`), error);
    }
    assertEquals(ranks.map(({ state }) => state()), before);
    await stepAll(ranks);
  }
});

Deno.test("a group of one refuses another model's slots in its next step, and is as before", async () => {
  for (const listed of [true, false]) {
    const first = single({ shapes: [[2, 2], [2]] }), { optimizer, variables, state } = single();
    await first.step();
    const before = state(), file = saveCheckpoint(first.optimizer), tensors = tf.memory().numTensors;
    restoreCheckpoint(optimizer, file);
    assertEquals(optimizer.iterations, 1);
    const others = Object.values(tf.engine().registeredVariables).filter((v) => v.trainable && !variables.includes(v));
    for (const variable of others) variable.trainable = false;
    const loss = () => tf.addN(variables.map((v) => v.square().mean())).asScalar();
    assertThrows(
      () => optimizer.minimize(loss, false, listed ? variables : undefined),
      Error,
      "slot accumulatedFirstMoment.1 is [2]",
    );
    assertEquals(state(), before);
    optimizer.minimize(loss, false, listed ? variables : undefined);
    for (const variable of others) variable.trainable = true;
    assert(tf.memory().numTensors > tensors);
  }
});

Deno.test("methods that own the parameters: weights that differ between two exchanges are no difference", async () => {
  const options = { method: () => localSgd({ every: 4 }) as Method, inner: () => tf.train.sgd(0.1) };
  const straight = pair(options);
  for (let i = 0; i < 2; i++) await stepAll(straight);
  const files = straight.map(save), resumed = pair(options);
  resumed.forEach(({ optimizer, variables }, rank) => restoreCheckpoint(optimizer, files[rank]!, variables));
  for (let i = 0; i < 3; i++) await stepAll(straight), await stepAll(resumed);
  assertEquals(
    resumed.map(({ variables }) => weightsDigest(variables)),
    straight.map(({ variables }) => weightsDigest(variables)),
  );
});

Deno.test("a rank whose weights are of another run is refused, though its slots are the same", async () => {
  const inner = () => tf.train.sgd(0.1),
    files = await trained(2, { inner }),
    other = await trained(2, { inner, start: 2 });
  const ranks = pair({ inner });
  ranks.forEach(({ optimizer, variables }, rank) =>
    restoreCheckpoint(optimizer, [files[0]!, other[1]!][rank]!, variables)
  );
  for (const error of await refusals(ranks)) assert(error.includes("restored.weights (digest) differs"), error);
});
