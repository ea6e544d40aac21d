import { assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer } from "../../../optimizers/mod.ts";
import { alone } from "../../../transport/mod.ts";
import { setPlace } from "../../../transport/place.ts";

await tf.setBackend("cpu");

const method = average(), group = alone();

Deno.test("a loaded model refuses to train where several ranks were launched, and trains where none was", async () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] }), x = tf.ones([2, 1]);
  model.compile({
    optimizer: new DistributedOptimizer(tf.train.adam(0.1), { method, group }),
    loss: "meanSquaredError",
  });
  await model.fit(x, x, { verbose: 0 });
  let saved!: tf.io.ModelArtifacts;
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      saved = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" as const } });
    }),
    { includeOptimizer: true },
  );
  const load = () => tf.loadLayersModel(tf.io.fromMemory(saved)), before = Deno.env.get("WORLD_SIZE");
  await (await load()).fit(x, x, { verbose: 0 });
  const place = { rank: 0, size: 3, meeting: { transport: "broadcast" as const, name: "none" }, args: [] };
  const loaded = await load(), weights = loaded.getWeights().map((weight) => weight.dataSync());
  setPlace(place);
  try {
    await assertRejects(
      () => loaded.fit(x, x, { verbose: 0 }),
      Error,
      "Cannot train a loaded model on 3 ranks: its optimizer",
    );
    assertEquals(loaded.getWeights().map((weight) => weight.dataSync()), weights);
    // Compiled again it trains.
    loaded.compile({
      optimizer: new DistributedOptimizer(tf.train.adam(0.1), { method, group }),
      loss: "meanSquaredError",
    });
    await loaded.fit(x, x, { verbose: 0 });
  } finally {
    setPlace(undefined as never);
  }
  // torchrun's variables say it too.
  const variables = { RANK: "0", WORLD_SIZE: "2", MASTER_ADDR: "127.0.0.1", MASTER_PORT: "1" };
  assertEquals(before, undefined);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await assertRejects(async () => await (await load()).fit(x, x, { verbose: 0 }), Error, "on 2 ranks");
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
});
