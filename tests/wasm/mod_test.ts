import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import { values } from "./products.ts";
import { heapBytes, held, tf, withStock } from "./stock.ts";

const root = new URL("../../", import.meta.url);

/** Runs a program that is saved outside the project, with the project's import map and these permissions only. */
async function run(source: string, ...permissions: string[]): Promise<{ code: number; out: string; err: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/program.ts`, source);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", `--config=${root.pathname}deno.json`, "--no-prompt", ...permissions, "program.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const train = `
  import * as tf from "@tensorflow/tfjs";
  import "${new URL("wasm/mod.ts", root)}";
  await tf.setBackend("wasm");
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [3], units: 2 })] });
  model.compile({ optimizer: tf.train.adam(), loss: "meanSquaredError" });
  await model.fit(tf.ones([8, 3]), tf.ones([8, 2]), { epochs: 2, verbose: 0 });
`;

Deno.test("the entry works from any folder with --allow-read alone, and prints nothing", async () => {
  assertEquals(await run(`${train} console.log(tf.getBackend());`, "--allow-read"), {
    code: 0,
    out: "wasm\n",
    err: "",
  });
});

Deno.test("the entry works in workers, and prints nothing", async () => {
  const worker = `${train} postMessage(tf.getBackend());`;
  const source = `
    const url = "data:text/typescript," + encodeURIComponent(${JSON.stringify(worker)});
    const workers = [0, 1].map(() => new Worker(url, { type: "module" }));
    const answer = (worker) => new Promise((done) => worker.onmessage = ({ data }) => done(data));
    for (const backend of await Promise.all(workers.map(answer))) console.log(backend);
    workers.forEach((worker) => worker.terminate());`;
  assertEquals(await run(source, "--allow-read"), { code: 0, out: "wasm\nwasm\n", err: "" });
});

Deno.test("setUp says what is missing", async () => {
  const source = `import { setUp } from "${new URL("wasm/mod.ts", root)}"; await setUp();`;
  const { code, err } = await run(source, `--allow-read=/nowhere`);
  assert(code !== 0);
  assertStringIncludes(
    err,
    "Cannot set up the wasm backend: tfjs could not read its binary (in Deno this needs --allow-read)",
  );
});

Deno.test("setUp works after it has failed: tfjs looks where it is told last", async () => {
  const source = `
    import { setUp } from "${new URL("wasm/mod.ts", root)}";
    import * as tf from "@tensorflow/tfjs";
    let said = "";
    console.warn = console.error = (...values) => said += values.join();
    const attempt = (options) => setUp(options).then(() => tf.getBackend(), ({ message }) => message);
    for (const binaries of ["/nowhere/", "/neither/"]) console.log(await attempt({ binaries }));
    console.log(await attempt(), said.includes("/neither/tfjs-backend-wasm"));`;
  const failed = (folder: string) => `Cannot set up the wasm backend: tfjs could not read its binary from ${folder}`;
  const { out, err } = await run(source, "--allow-read");
  assertEquals(out, `${failed("/nowhere/")}\n${failed("/neither/")}\nwasm true\n`, err);
});

Deno.test("training: a network in plain fit ends where tfjs's own kernels take it, and memory does not grow", async () => {
  const x = tf.tensor2d(values([40 * 37], 1), [40, 37]);
  const y = tf.tensor1d(values([40], 2).map((value) => Math.floor(Math.abs(9 * value)) % 5));
  const weightsAfter = async (epochs: number) => {
    const layer = (inputShape: number[], units: number, activation: "relu" | "softmax") =>
      tf.layers.dense({
        inputShape,
        units,
        activation,
        kernelInitializer: tf.initializers.glorotUniform({ seed: units }),
      });
    const model = tf.sequential({ layers: [layer([37], 11, "relu"), layer([11], 5, "softmax")] });
    model.compile({ optimizer: tf.train.adam(0.01), loss: "sparseCategoricalCrossentropy" });
    const options = { batchSize: 8, shuffle: false, verbose: 0, yieldEvery: "never" } as const;
    await model.fit(x, y, { ...options, epochs: 1 });
    const before = held(), heap = heapBytes();
    await model.fit(x, y, { ...options, epochs });
    assertEquals(held(), before);
    assertEquals(heapBytes(), heap);
    const weights = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
    model.optimizer.dispose();
    model.dispose();
    return weights;
  };
  // A thousand steps for memory; a few for the weights, since chaos multiplies the last bits of long runs.
  await weightsAfter(200);
  const ours = await weightsAfter(4), stock = await withStock(() => weightsAfter(4));
  ours.forEach((weight, i) => assert(Math.abs(weight - stock[i]!) < 1e-5, `${weight} and ${stock[i]}`));
  tf.dispose([x, y]);
});
