/** What is compared when a checkpoint is restored, and what a refusal leaves as it was. */

import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { naturalCompression } from "../../../../compressors/mod.ts";
import {
  average,
  diana,
  DistributedOptimizer,
  localSgd,
  type Method,
  type OptimizerState,
  readSafetensors,
  restoreCheckpoint,
  type Safetensors,
  saveCheckpoint,
  weightsDigest,
  writeSafetensors,
} from "../../../../optimizers/mod.ts";
import { writeChecksum } from "../../../../optimizers/files/checksum.ts";
import { alone, type Collective, collective, memory } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

interface Options {
  readonly method?: () => Method;
  readonly inner?: () => tf.Optimizer;
  readonly shapes?: readonly number[][];
  readonly names?: readonly string[];
  readonly start?: number;
}

/** One rank: variables, an optimizer, and a step on data of its own. */
function trainee(group: Collective, options: Options = {}) {
  const { method = () => average(), inner = () => tf.train.adam(0.1), shapes = [[2, 2], [3]], names, start = 1 } =
    options;
  const variables = shapes.map((shape, i) =>
    tf.variable(tf.fill([...shape], start), true, names && `${names[i]}_${variableCount++}`)
  );
  const optimizer = new DistributedOptimizer(inner(), { method: method(), group });
  const loss = () => tf.addN(variables.map((v) => v.sub(group.rank).square().mean())).asScalar();
  // Without the names of variables, which differ between twins.
  const state = () => [weightsDigest(variables), structuredClone({ ...optimizer.getState(), layout: undefined })];
  return { group, variables, optimizer, state, step: () => optimizer.minimizeAsync(loss, false, variables) };
}
let variableCount = 0;
type Trainee = ReturnType<typeof trainee>;

const pair = (options?: Options) => memory(2).map((transport) => trainee(collective(transport), options));
const single = (options?: Options) => trainee(alone() as unknown as Collective, options);
const stepAll = (ranks: readonly Trainee[]) => Promise.all(ranks.map(({ step }) => step()));
const save = ({ optimizer, variables }: Trainee) => saveCheckpoint(optimizer, variables);

async function trained(steps: number, options?: Options): Promise<Uint8Array[]> {
  const ranks = pair(options);
  for (let i = 0; i < steps; i++) await stepAll(ranks);
  return ranks.map(save);
}

/** The file with other tensors or metadata and a checksum that is right. */
function edited(
  file: Uint8Array,
  edit: (file: { -readonly [K in keyof Safetensors]: Safetensors[K] }) => void,
): Uint8Array {
  const { tensors, metadata } = readSafetensors(file), copy = { tensors: { ...tensors }, metadata: { ...metadata } };
  edit(copy);
  return writeChecksum(writeSafetensors(copy));
}
const without = (file: Uint8Array, name: string) =>
  edited(file, (copy) => copy.tensors = Object.fromEntries(Object.entries(copy.tensors).filter(([n]) => n !== name)));

Deno.test("every flipped bit of a checkpoint and every torn end is refused, and changes nothing", async () => {
  const one = single({ shapes: [[2], [1]], names: ["a\u001b", "b"] });
  await one.step();
  const file = save(one), into = single({ shapes: [[2], [1]], names: ["a\u001b", "b"] }), before = into.state();
  for (let bit = 0; bit < 8 * file.length; bit++) {
    file[bit >>> 3]! ^= 1 << (bit & 7);
    assertThrows(() => restoreCheckpoint(into.optimizer, file, into.variables), Error, "Cannot re", `bit ${bit}`);
    file[bit >>> 3]! ^= 1 << (bit & 7);
  }
  for (let length = 0; length < file.length; length++) {
    assertThrows(() => restoreCheckpoint(into.optimizer, file.subarray(0, length), into.variables), RangeError);
  }
  assertEquals(into.state(), before);
  restoreCheckpoint(into.optimizer, file, into.variables);
});

Deno.test("words that are swapped, moved or cleared: a checkpoint's checksum tells", () => {
  const { optimizer, variables } = single({ shapes: [[16]] });
  variables[0]!.assign(tf.range(1, 17));
  const file = saveCheckpoint(optimizer, variables), start = file.length - 64;
  const refused = (change: (copy: Uint8Array) => void) => {
    const copy = file.slice();
    change(copy);
    assertThrows(() => restoreCheckpoint(optimizer, copy, variables), RangeError, "damaged");
  };
  const [first, second] = [file.slice(start, start + 4), file.slice(start + 4, start + 8)];
  refused((copy) => (copy.set(second, start), copy.set(first, start + 4)));
  refused((copy) => copy.copyWithin(start, start + 4));
  for (let at = start; at < file.length; at += 4) refused((copy) => copy.fill(0, at));
});

const inners: Record<string, () => tf.Optimizer> = {
  momentum: () => tf.train.momentum(0.05, 0.9),
  adagrad: () => tf.train.adagrad(0.05),
  adadelta: () => tf.train.adadelta(0.05),
  adam: () => tf.train.adam(0.01),
  adamax: () => tf.train.adamax(0.01),
  rmsprop: () => tf.train.rmsprop(0.01, 0.9, 0.9),
  centered: () => tf.train.rmsprop(0.01, 0.9, 0.9, undefined, true),
};
for (const [name, inner] of Object.entries(inners)) {
  Deno.test(`a checkpoint without any one slot of ${name}, with a slot more or of another shape is refused`, async () => {
    const [file] = await trained(2, { inner }), into = pair({ inner })[0]!, before = into.state();
    const slots = Object.keys(readSafetensors(file!).tensors).filter((name) => name.startsWith("slot/"));
    assert(slots.length >= 2);
    const refused = (file: Uint8Array, what: string) => {
      assertThrows(() => restoreCheckpoint(into.optimizer, file, into.variables), Error, what);
      assertEquals(into.state(), before);
    };
    for (const slot of slots) {
      const property = slot.slice("slot/".length).split(".")[0]!;
      refused(without(file!, slot), `slot ${property}`);
      refused(
        edited(
          file!,
          (copy) => copy.tensors = { ...copy.tensors, [slot]: { shape: [5], values: new Float32Array(5) } },
        ),
        `slot ${property}`,
      );
    }
    for (const more of ["slot/unknown", "slot/unknown.0", `${slots.find((slot) => slot.includes("."))}7`]) {
      refused(
        edited(
          file!,
          (copy) => copy.tensors = { ...copy.tensors, [more]: { shape: [1], values: new Float32Array(1) } },
        ),
        "slot ",
      );
    }
    // Without any: a file of before the first step has none, this one is of later.
    const none = slots.reduce((file, slot) => slot.includes(".") ? without(file, slot) : file, file!);
    refused(none, "is absent in the checkpoint");
    // With slots but no steps.
    refused(
      edited(
        file!,
        ({ metadata }) =>
          Object.assign(metadata, { inner: metadata["inner"]!.replace(/"iterations":\d+/, '"iterations":0') }),
      ),
      "absent after 0 steps",
    );
    restoreCheckpoint(into.optimizer, file!, into.variables);
  });
}

for (const [name, inner] of Object.entries({ ...inners, sgd: () => tf.train.sgd(0.1) })) {
  Deno.test(`a checkpoint of before the first step clears the slots of ${name}`, async () => {
    for (const make of [() => [single({ inner })], () => pair({ inner })]) {
      const ranks = make(),
        files = ranks.map(save),
        run = async () => {
          for (let i = 0; i < 3; i++) await stepAll(ranks);
          return ranks.map(({ variables, optimizer }) => [weightsDigest(variables), optimizer.getState().inner]);
        };
      const first = await run(), tensors = tf.memory().numTensors;
      ranks.forEach(({ optimizer, variables }, rank) => restoreCheckpoint(optimizer, files[rank]!, variables));
      assertEquals(ranks.map(save), files);
      assertEquals(await run(), first);
      // Neither the slots of before nor what a refusal would have needed stays behind.
      assertEquals(tf.memory().numTensors, tensors);
    }
  });
}

Deno.test("weights are compared by their number, name, shape and type", async () => {
  const names = ["dense_Dense1/kernel", "dense_Dense1/bias"], [file] = await trained(1, { names });
  const shapes = [[2, 2], [3]],
    make = (options: Options, dtype: "float32" | "int32" = "float32") => {
      const { optimizer, variables } = pair({ names, ...options })[0]!;
      return {
        optimizer,
        variables: dtype === "float32"
          ? variables
          : [variables[0]!, tf.variable(tf.zeros([3], dtype), true, `${names[1]}_${variableCount++}`)],
      };
    };
  for (
    const [{ optimizer, variables }, why] of [
      [make({ shapes: [[2, 2]] }), "weight 1 is dense_Dense1/bias_"],
      [make({ shapes: [[2, 2], [3], [1]], names: [...names, "more"] }), "weight 2 is absent in the checkpoint, more_"],
      [make({ shapes: [[4], [3]] }), "[2,2] of float32 in the checkpoint, dense_Dense1/kernel_"],
      [make({ names: ["dense_Dense4/kernel", "other_Dense4/bias"] }), "in the checkpoint, other_Dense4/bias_"],
      [make({ shapes }, "int32"), "[3] of float32 in the checkpoint,"],
    ] as const
  ) {
    const before = [weightsDigest(variables), structuredClone(optimizer.getState())];
    assertThrows(() => restoreCheckpoint(optimizer, file!, variables), Error, why);
    assertEquals([weightsDigest(variables), structuredClone(optimizer.getState())], before);
  }
  // tfjs numbers layers and variables per process: these numbers may differ.
  const { optimizer, variables } = make({ names: ["dense_Dense7/kernel", "dense_Dense7/bias"] });
  restoreCheckpoint(optimizer, file!, variables);
});

Deno.test("tensors that the checkpoint does not name, or that are not as it says, are refused", async () => {
  const [file] = await trained(1), { optimizer, variables } = pair()[0]!;
  const more = (name: string) =>
    edited(file!, (copy) => copy.tensors = { ...copy.tensors, [name]: { shape: [1], values: new Float32Array(1) } });
  const named = (weights: string) => edited(file!, ({ metadata }) => Object.assign(metadata, { weights }));
  for (
    const [damaged, why] of [
      [more("weight/2"), 'a tensor "weight/2", which no checkpoint has'],
      [more("other"), 'a tensor "other"'],
      [more("local/memory"), "local vector memory has 1 numbers in the checkpoint, none here"],
      [more("shared/memory"), "shared vector memory has 1 numbers in the checkpoint, none here"],
      [without(file!, "weight/1"), "names weight 1, but lacks it"],
      [named('[{"name":"a","dtype":"float32"}]'), 'a tensor "weight/1"'],
      [
        named('[{"name":"a","dtype":"int32"},{"name":"b","dtype":"float32"}]'),
        'weight 0 (a) is "int32", but has a Float32Array',
      ],
      [named("[null]"), "the checkpoint's weights is"],
    ] as const
  ) assertThrows(() => restoreCheckpoint(optimizer, damaged, variables), Error, why);
});

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

Deno.test("a state that is not one is refused by setState, and a state under way is not given out", async () => {
  const ranks = pair(), [{ optimizer }] = ranks as [Trainee];
  await stepAll(ranks);
  const state = optimizer.getState();
  const refused = (change: Partial<OptimizerState>, why: string) =>
    assertThrows(() => optimizer.setState({ ...state, ...change }), Error, why);
  refused({ layout: { names: ["a"], shapes: [[4]], size: 4 } }, "variable 0 is ");
  refused({ local: { more: new Float32Array(1) } }, "local vector more has 1 numbers in the checkpoint, none here");
  refused({ inner: { ...state.inner, slots: state.inner.slots.slice(1) } }, "slot ");
  refused({ inner: { ...state.inner, slots: [...state.inner.slots, state.inner.slots[0]!] } }, "present twice");
  const step = stepAll(ranks);
  assertThrows(() => optimizer.getState(), Error, "a step is under way");
  assertThrows(() => optimizer.setState(state), Error, "a step is under way");
  await step;
});

async function refusals(ranks: readonly Trainee[]): Promise<string[]> {
  const results = await Promise.allSettled(ranks.map(({ step }) => step()));
  return results.map((result) => {
    if (result.status === "fulfilled") throw new Error("the step was taken");
    return (result.reason as Error).message;
  });
}
