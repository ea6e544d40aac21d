import { assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { checkGroup, requireOptimizer, requirePath } from "../../../../optimizers/tfjs/checkpoints/require.ts";
import { average, DistributedOptimizer } from "../../../../optimizers/mod.ts";
import { alone } from "../../../../transport/mod.ts";

Deno.test("what saveTo and restoreFrom take is told apart from what stands near it", () => {
  using group = alone();
  requireOptimizer("save", new DistributedOptimizer(tf.train.sgd(1), { method: average(), group }));
  assertThrows(() => requireOptimizer("save", tf.train.sgd(1)), TypeError, "Cannot save: optimizer is ");
  assertThrows(() => requireOptimizer("save", tf.train.sgd(1)), TypeError, "the one that wraps it");
  assertThrows(
    () => requireOptimizer("", undefined),
    TypeError,
    "optimizer is undefined, expected a DistributedOptimi",
  );
  requirePath("save", "saveTo", "a"), requirePath("save", "saveTo", new URL("file:///a"));
  assertThrows(() => requirePath("save", "saveTo", { group }), TypeError, 'as in saveTo("checkpoints", { group');
  const options = { group };
  assertEquals(checkGroup("save", options), options);
  assertThrows(() => checkGroup("save", group as never), TypeError, "the options are a group, expected { group");
  assertThrows(() => checkGroup("save", undefined as never), TypeError, "the options are undefined");
  assertThrows(() => checkGroup("save", {} as never), TypeError, "Cannot save: group is undefined");
});
