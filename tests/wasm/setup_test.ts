import { assert, assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import { SOURCE } from "../../wasm/binary.ts";

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

Deno.test("the compiled kernels are those of the source", async () => {
  const source = await Deno.readFile(new URL("wasm/assembly/kernels.ts", root));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", source)).toHex();
  assertEquals(digest, SOURCE, "run wasm/assembly/build.ts");
});
