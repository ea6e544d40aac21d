import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { readSafetensors, restoreCheckpoint, saveCheckpoint, weightsDigest } from "../../../../optimizers/mod.ts";
import { edited, inners, pair, save, single, stepAll, trained, without } from "../checkpoints/trainees.ts";
import { InArrays, InEntries, InList, InMap, Inside, InTensors, type Own, trainees } from "./own_optimizers.ts";

await tf.setBackend("cpu");

Deno.test("a checkpoint holds the numbers of an optimizer of one's own, Infinity included, and refuses what it cannot hold", async () => {
  const first = trainees(() => new InEntries());
  for (let s = 0; s < 2; s++) await Promise.all(first.map(({ step }) => step()));
  const files = first.map(({ optimizer, list }) => saveCheckpoint(optimizer, list)),
    second = trainees(() => new InEntries());
  second.forEach(({ optimizer, list }, rank) => restoreCheckpoint(optimizer, files[rank]!, list));
  assertEquals(second.map(({ inner }) => [(inner as Own).t, (inner as Own).best]), [[2, Infinity], [2, Infinity]]);
  for (let s = 0; s < 2; s++) await Promise.all([...first, ...second].map(({ step }) => step()));
  assertEquals(second.map(({ values }) => values()), first.map(({ values }) => values()));

  class More extends InEntries {
    more = 1;
  }
  const other = trainees(() => new More())[0]!;
  assertThrows(
    () => restoreCheckpoint(other.optimizer, files[0]!, other.list),
    Error,
    "its field more is absent in the checkpoint, a number here",
  );
  for (const make of [InList, InMap, InTensors, InArrays, Inside]) {
    const ranks = trainees(() => new make()), field = make === Inside ? "wrapped" : "slots";
    await Promise.all(ranks.map(({ step }) => step()));
    assertThrows(
      () => saveCheckpoint(ranks[0]!.optimizer),
      TypeError,
      `${make.className} keeps numbers in its field ${field}`,
    );
  }
});

Deno.test("a class of one's own that extends one of tfjs's is stored, and one without a name is refused", async () => {
  class Warm extends tf.MomentumOptimizer {
    static override className = "Warm";
    t = 0;
    override applyGradients(...given: Parameters<tf.MomentumOptimizer["applyGradients"]>) {
      this.t++;
      super.applyGradients(...given);
    }
  }
  const ranks = trainees(() => new Warm(0.1, 0.9));
  await Promise.all(ranks.map(({ step }) => step()));
  const file = saveCheckpoint(ranks[0]!.optimizer, ranks[0]!.list), again = trainees(() => new Warm(0.1, 0.9))[0]!;
  restoreCheckpoint(again.optimizer, file, again.list);
  assertEquals((again.inner as Warm).t, 1);

  class Nameless extends InEntries {}
  (Nameless as unknown as { className: unknown }).className = undefined;
  assertThrows(
    () => saveCheckpoint(trainees(() => new Nameless())[0]!.optimizer),
    TypeError,
    "its class Nameless has no name",
  );
  class Bare extends InEntries {}
  (Bare.prototype as unknown as { getConfig: unknown }).getConfig = undefined;
  assertThrows(() => trainees(() => new Bare()), TypeError, "has no getConfig, expected one that returns its options");
});

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
