import { assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { identity, randK, topK } from "../../../compressors/mod.ts";
import { average, DistributedOptimizer } from "../../../optimizers/mod.ts";
import { alone, connect, memory } from "../../../transport/mod.ts";
import { echo } from "./training.ts";

await tf.setBackend("cpu");

const method = average(), group = alone(), sgd = tf.train.sgd(1);

const mistakes: [name: string, inner: unknown, options: unknown, says: string][] = [
  [
    "a misspelt option",
    sgd,
    { reduser: method, group },
    'there is no option "reduser", expected one of method, group, seed',
  ],
  [
    "an un-awaited connect()",
    sgd,
    { method, group: connect() },
    "the group is a Promise: await it, as in group: await connect()",
  ],
  [
    "connect itself",
    sgd,
    { method, group: connect },
    "group is the function connect, expected what it returns: call it, await connect()",
  ],
  [
    "a transport",
    sgd,
    { method, group: memory(1)[0] },
    "group is a transport, expected the group over it: collective(transport)",
  ],
  ["no group", sgd, { method }, "group is undefined"],
  ["no options", sgd, undefined, "its options are undefined, expected { method: average(), group: await connect() }"],
  [
    "a method as options",
    sgd,
    method,
    "its options are a method, expected { method: average({ compressor: identity() }), group",
  ],
  [
    "an uncalled factory",
    sgd,
    { method: average, group },
    "method is the function average, expected what it returns: call it, average(…)",
  ],
  [
    "a contractive compressor",
    sgd,
    { method: topK({ k: 1 }), group },
    "which is a compressor, expected a method: errorFeedback(topK({ k: 1 }))",
  ],
  ["an unbiased compressor", sgd, { method: randK({ k: 1 }), group }, "expected a method: average(randK({ k: 1"],
  [
    "a compressor of both kinds",
    sgd,
    { method: identity(), group },
    "errorFeedback(identity()) or average(identity()) or diana(identity())",
  ],
  ["a text", sgd, { method: "average", group }, 'method is "average", expected parseMethod("average")'],
  ["an array", sgd, { method: [method], group }, "method is an array"],
  [
    "a name of an optimizer",
    "adam",
    { method, group },
    'inner is "adam", expected a tf.Optimizer: tf.train.adam(…)',
  ],
  ["an uncalled optimizer", tf.train.adam, { method, group }, "inner is the function"],
  ["a negative verify", sgd, { method, group, verify: -1 }, "verify is -1, expected an integer ≥ 0"],
  ["a loss on all data that is none", sgd, { method, group, dataLoss: 1 }, "dataLoss is 1, expected a function"],
];

for (const [name, inner, options, says] of mistakes) {
  Deno.test(`${name} is refused by a sentence that says what to write`, () => {
    assertThrows(
      () => new DistributedOptimizer(inner as tf.Optimizer, options as never),
      Error,
      `Cannot make a DistributedOptimizer: `,
    );
    assertThrows(() => new DistributedOptimizer(inner as tf.Optimizer, options as never), Error, says);
  });
}

Deno.test("options that are wrong are refused in words", () => {
  const method = average(), group = echo(2), sgd = tf.train.sgd(1);
  const make = (inner: unknown, options: unknown) => () =>
    new DistributedOptimizer(inner as tf.Optimizer, options as never);
  assertThrows(make({}, { method, group }), TypeError, "expected a tf.Optimizer");
  assertThrows(
    make(new DistributedOptimizer(sgd, { method, group }), { method, group }),
    TypeError,
    "is one already",
  );
  assertThrows(make(sgd, { group }), TypeError, "method is undefined");
  assertThrows(make(sgd, { method }), TypeError, "group is undefined");
  assertThrows(
    make(sgd, { method, group, sead: 1 }),
    TypeError,
    'there is no option "sead", expected one of method, group, seed, nonFinite, dataLoss',
  );
  assertThrows(make(sgd, { method, group, seed: 0.5 }), RangeError, "seed is 0.5");
  assertThrows(make(sgd, { method, group, nonFinite: "ignore" }), TypeError, 'nonFinite is "ignore"');
});
