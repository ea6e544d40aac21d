/** Models in files. */

import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { fileHandler, registerFileHandler, weightsDigest } from "../../../../optimizers/mod.ts";

await tf.setBackend("cpu");

const model = (seed: number) =>
  tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [3], units: 4, kernelInitializer: tf.initializers.glorotNormal({ seed }) }),
      tf.layers.batchNormalization(),
      tf.layers.dense({ units: 1, useBias: false, kernelInitializer: tf.initializers.glorotNormal({ seed }) }),
    ],
  });
const list = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await body(`${root}/a model#1 100%`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("fileHandler: a model is loaded as it was saved, and replaced without remains", async () => {
  await inFolder(async (folder) => {
    for (const seed of [1, 1, 2]) {
      const saved = model(seed), { modelArtifactsInfo } = await saved.save(fileHandler(folder));
      assertEquals(modelArtifactsInfo.weightDataBytes, 4 * (12 + 4 + 16 + 4));
      assertEquals(list(folder).length, 2);
      for (
        const path of [
          folder,
          `${folder}/`,
          `${folder}/model.json`,
          new URL(`file://${encodeURIComponent(folder).replaceAll("%2F", "/")}`),
        ]
      ) {
        const loaded = await tf.loadLayersModel(fileHandler(path));
        assertEquals(weightsDigest(loaded), weightsDigest(saved));
        const x = tf.ones([2, 3]);
        assertEquals((loaded.predict(x) as tf.Tensor).dataSync(), (saved.predict(x) as tf.Tensor).dataSync());
      }
    }
    // Another name beside it, and what is not ours, stay.
    await Deno.writeTextFile(`${folder}/notes.txt`, "mine");
    await model(3).save(fileHandler(`${folder}/other.json`));
    await model(4).save(fileHandler(folder));
    assertEquals(list(folder).filter((name) => !name.endsWith(".bin")), [
      "model.json",
      "notes.txt",
      "other.json",
    ]);
    assertEquals(weightsDigest(await tf.loadLayersModel(fileHandler(`${folder}/other.json`))), weightsDigest(model(3)));
  });
});

Deno.test("fileHandler: models in one folder do not share a file of weights, be they equal", async () => {
  await inFolder(async (folder) => {
    const names = ["model.json", "best.json", "last.json", "model-weights.json"];
    for (const [i, name] of names.entries()) {
      for (const other of names) await model(1).save(fileHandler(`${folder}/${other}`));
      await model(2 + i).save(fileHandler(`${folder}/${name}`));
      for (const other of names) {
        const loaded = await tf.loadLayersModel(fileHandler(`${folder}/${other}`));
        assertEquals(weightsDigest(loaded), weightsDigest(model(other === name ? 2 + i : 1)), `${other} after ${name}`);
      }
      assertEquals(list(folder).length, 2 * names.length);
    }
  });
});

Deno.test("fileHandler: file:// URLs once it is registered, twice without harm", async () => {
  await inFolder(async (folder) => {
    registerFileHandler(), registerFileHandler();
    await model(5).save(`file://${folder}`);
    assertEquals(weightsDigest(await tf.loadLayersModel(`file://${folder}/model.json`)), weightsDigest(model(5)));
  });
});

Deno.test("fileHandler: models of several weight files and groups, as tfjs's converter writes them", async () => {
  await inFolder(async (folder) => {
    const saved = model(6);
    let artifacts!: tf.io.ModelArtifacts;
    await saved.save(tf.io.withSaveHandler((made) => {
      artifacts = made;
      return Promise.resolve({ modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(made) });
    }));
    const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(artifacts.weightData)), specs = artifacts.weightSpecs!;
    await Deno.mkdir(folder);
    const first = specs.slice(0, 2), size = 4 * (12 + 4);
    await Deno.writeFile(`${folder}/group1-shard1of2.bin`, bytes.subarray(0, 10));
    await Deno.writeFile(`${folder}/group1-shard2of2.bin`, bytes.subarray(10, size));
    await Deno.writeFile(`${folder}/group2-shard1of1.bin`, bytes.subarray(size));
    const json = (paths: readonly unknown[]) =>
      Deno.writeTextFile(
        `${folder}/model.json`,
        JSON.stringify({
          modelTopology: artifacts.modelTopology,
          weightsManifest: [{ paths, weights: first }, { paths: ["group2-shard1of1.bin"], weights: specs.slice(2) }],
        }),
      );
    await json(["group1-shard1of2.bin", "group1-shard2of2.bin"]);
    const load = () => tf.loadLayersModel(fileHandler(folder));
    assertEquals(weightsDigest(await load()), weightsDigest(saved));
    await json(["group1-shard1of2.bin"]);
    await assertRejects(load, Error, "group1-shard1of2.bin have 10 bytes, expected the 64 of their weights");
    for (const path of ["../x", "a/../../x", "/etc/hosts", 7]) {
      await json([path]);
      await assertRejects(load, Error, "lies outside of the folder");
    }
    // Replaced by a model of ours: the files that others wrote stay.
    await model(7).save(fileHandler(folder));
    assertEquals(list(folder).length, 5);
  });
});

Deno.test("fileHandler: what is missing or damaged is refused by name", async () => {
  await inFolder(async (folder) => {
    const load = () => tf.loadLayersModel(fileHandler(folder));
    await assertRejects(load, Error, `Cannot load the model from ${folder}: model.json is missing`);
    await model(1).save(fileHandler(folder));
    const weights = `${folder}/${list(folder).find((name) => name.endsWith(".bin"))}`,
      bytes = await Deno.readFile(weights);
    for (let i = 0; i < bytes.length; i += 7) {
      const harmed = bytes.slice();
      harmed[i]! ^= 1 << (i & 7);
      await Deno.writeFile(weights, harmed);
      await assertRejects(load, Error, ".bin is damaged: its digest is another");
    }
    await Deno.remove(weights);
    await assertRejects(load, Error, ".bin is missing");
    await Deno.mkdir(weights);
    await assertRejects(load, Error, ".bin cannot be read");
    const json = `${folder}/model.json`, text = await Deno.readTextFile(json);
    await Deno.writeTextFile(json, text.slice(0, 100));
    await assertRejects(load, Error, "model.json is damaged: it is not JSON");
    for (const other of ["{}", "null", "[]", "7"]) {
      await Deno.writeTextFile(json, other);
      await assertRejects(load, Error, "model.json has neither modelTopology nor weightsManifest");
    }
    await assertRejects(() => tf.loadLayersModel(fileHandler("")), Error, 'the path is ""');
    const file = await Deno.makeTempFile();
    const error = await assertRejects(() => model(1).save(fileHandler(`${file}/model`)), Error);
    assert(error.message.startsWith(`Cannot save the model to ${file}/model: ENOTDIR`), error.message);
    await Deno.remove(file);
  });
});

Deno.test("fileHandler: a save that fails leaves the model of before, and nothing beside it", async () => {
  await inFolder(async (folder) => {
    await model(1).save(fileHandler(folder));
    const before = list(folder);
    // A folder in the place of the file that would take the name of model.json cannot be replaced by a file.
    await Deno.rename(`${folder}/model.json`, `${folder}/kept`),
      await Deno.mkdir(`${folder}/model.json/x`, { recursive: true });
    await assertRejects(() => model(2).save(fileHandler(folder)), Error, "Cannot save the model to");
    await Deno.remove(`${folder}/model.json`, { recursive: true }),
      await Deno.rename(`${folder}/kept`, `${folder}/model.json`);
    assertEquals(weightsDigest(await tf.loadLayersModel(fileHandler(folder))), weightsDigest(model(1)));
    assertEquals(list(folder).filter((name) => name.startsWith(".")), []);
    assert(before.every((name) => list(folder).includes(name)));
  });
});
