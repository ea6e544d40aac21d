/** The checks of options, and that everything that takes options uses them. @module */

import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert/mod.js";
import {
  alone,
  average,
  blocking,
  broadcastChannel,
  broadcastChannelAsync,
  broadcastChannelTransport,
  collective,
  connect,
  DistributedOptimizer,
  groupMemory,
  memory,
  minimise,
  quadratic,
  shard,
  shardBatches,
  shardIndices,
  tcp,
  tcpBlocking,
} from "../mod.ts";
import { launch } from "../transport/launch/mod.ts";
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkNumber,
  checkOptions,
  isNamed,
  meant,
  nearestName,
  show,
} from "../options.ts";
import * as tf from "@tensorflow/tfjs";

const place = { rank: 0, size: 1 }, channel = { ...place, name: "options" };
const address = { ...place, host: "127.0.0.1", port: 1 };

/** Calls with an option too many, and one that each of them has. */
const calls: Record<string, [known: string, call: (more: object) => unknown]> = {
  connect: ["timeout", (more) => connect(more)],
  launch: ["ranks", (more) => launch({ script: "data:text/javascript,", ranks: 1, ...more })],
  broadcastChannel: ["capacity", (more) => broadcastChannel({ ...channel, ...more })],
  broadcastChannelAsync: ["capacity", (more) => broadcastChannelAsync({ ...channel, ...more })],
  broadcastChannelTransport: ["capacity", (more) => broadcastChannelTransport({ ...channel, ...more })],
  groupMemory: ["capacity", (more) => groupMemory({ size: 1, ...more })],
  tcp: ["heartbeat", (more) => tcp({ ...address, ...more })],
  blocking: ["module", (more) => blocking({ module: "data:text/javascript,", ...more })],
  tcpBlocking: ["heartbeat", (more) => tcpBlocking({ ...address, ...more })],
  collective: ["maxMessageBytes", (more) => collective(memory(1)[0]!, more)],
  shard: ["shuffle", (more) => shard([1, 2], place, more)],
  shardIndices: ["shuffle", (more) => shardIndices(2, place, more)],
  shardBatches: ["batchSize", (more) => shardBatches({ xs: tf.ones([1]) }, place, { batchSize: 1, ...more })],
  minimise: ["rounds", (more) => minimise(quadratic([{ a: [[1]], b: [0] }]), average(), { rounds: 1, ...more })],
  DistributedOptimizer: [
    "nonFinite",
    (more) => new DistributedOptimizer(tf.train.sgd(1), { method: average(), group: alone(), ...more }),
  ],
};

for (const [name, [known, call]] of Object.entries(calls)) {
  Deno.test(`${name} refuses an option that it does not have, and names those it has`, async () => {
    const { message } = await assertRejects(async () => await call({ sede: 1 }), TypeError, "sede");
    assertMatch(message, new RegExp(`expected .*${known}`));
  });
}

Deno.test("show names a value as a sentence can use it", () => {
  const named: [unknown, string][] = [
    ["a", '"a"'],
    ["x".repeat(61), `"${"x".repeat(59)}…"`],
    [[1], "an array"],
    [{}, "an object"],
    [null, "null"],
    [1n, "1"],
    [() => 1, "a function"],
    [parseInt, "the function parseInt"],
    [new Float64Array(1), "a Float64Array"],
    [new Uint8Array(1), "a Uint8Array"],
    [tf.train.sgd(1), "an SGDOptimizer"],
    [average(), "the method average"],
  ];
  for (const [value, text] of named) assertEquals(show(value), text);
  assertEquals(isNamed({ name: "a" }), false);
});

Deno.test("nearestName finds what differs in case or in at most two letters", () => {
  const known = ["timeout", "rank", "p"];
  for (const written of ["timeOut", "TIMEOUT", "timout", "tmieout", "timeouts"]) {
    assertEquals(nearestName(written, known), "timeout");
  }
  assertEquals(nearestName("arnk", known), "rank");
  assertEquals([nearestName("tme", known), nearestName("q", known)], [undefined, undefined]);
  assertEquals([meant("Rank", known), meant("zzz", known)], [": was rank meant?", ""]);
});

Deno.test("every check tells what was given and what is accepted", () => {
  const refused: [() => unknown, string][] = [
    [() => checkInteger("make x", "k", 0, 1), "Cannot make x: k is 0, expected an integer ≥ 1"],
    [() => checkInteger("go", "k", 2 ** 53, 0), "Cannot go: k is 9007199254740992, expected an integer ≥ 0"],
    [() => checkInteger("go", "k", 9, 1, 8), "Cannot go: k is 9, expected an integer from 1 to 8"],
    [() => checkNumber("go", "p", 0, { above: 0, most: 1 }), "Cannot go: p is 0, expected a number > 0 and ≤ 1"],
    [() => checkNumber("go", "p", 1, { least: 0, below: 1 }), "Cannot go: p is 1, expected a number ≥ 0 and < 1"],
    [() => checkNumber("go", "p", NaN, { least: 0, note: "why" }), "Cannot go: p is NaN, expected a number ≥ 0, why"],
    [() => checkNumber("go", "p", Infinity, { least: 0 }), "Cannot go: p is Infinity, expected a number ≥ 0"],
    [() => checkNumber("go", "p", "1" as never, { least: 0 }), 'Cannot go: p is "1", expected a number ≥ 0'],
    [() => checkChoice("go", "by", "z", ["a", "b"]), 'Cannot go: by is "z", expected one of a, b'],
    [() => checkBoolean("go", "on", 1 as never), "Cannot go: on is 1, expected true or false"],
    [
      () => checkOptions("go", { ab: 1 }, ["abc", "d"]),
      'Cannot go: there is no option "ab", expected one of abc, d: was abc meant?',
    ],
    [
      () => checkOptions("go", 3 as never, ["k"]),
      "Cannot go: the options are 3, expected an object with some of k, as in { k: 3 }",
    ],
    [() => checkOptions("go", null as never, ["k"]), "Cannot go: the options are null, expected an object"],
    [
      () => checkOptions("go", average(), ["name"]),
      "Cannot go: the options are the method average, expected an object",
    ],
  ];
  for (const [call, says] of refused) assertThrows(call, Error, says);
  checkInteger("go", "k", 8, 1, 8), checkNumber("go", "p", Infinity, { above: 0, most: Infinity });
  const options = { k: 1 };
  assertEquals([checkOptions("go", options, ["k"]), checkOptions("go", undefined, ["k"])], [options, {}]);
});
