/** A misspelt option is refused with the list of those there are, by everything that takes options. @module */

import { assertMatch, assertRejects } from "@std/assert/mod.js";
import {
  alone,
  average,
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
    assertMatch(message, new RegExp(`(known are|expected) .*${known}`));
  });
}
