/**
 * Every entry point works as users import it. The files that are published, and no others, are served from loopback and
 * imported by address, as from deno.land or JSR, and from a folder, as from a clone; by programs that have no import map of
 * the library's, with the version of tfjs that they like.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { stripTypeScriptTypes } from "node:module";
import { deno, folderOf, lines, result } from "./transport/launch/launcher.ts";

const root = new URL("../", import.meta.url);
const config = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));

/** The files that `deno publish` would publish, by path. */
async function publishedFiles(): Promise<Record<string, string>> {
  const { code, err } = await result(deno(["publish", "--dry-run", "--allow-dirty", "--no-check"], { cwd: root }));
  assertEquals(code, 0, err);
  const paths = [...err.matchAll(/^\s+(file:\S+) \([\d.]+\w+\)$/gm)].map(([, url]) => url!.slice(root.href.length));
  assert(paths.includes("mod.ts"), err);
  const texts = paths.filter((path) => /\.(ts|json)$/.test(path)).map((path) => [
    path,
    Deno.readTextFileSync(new URL(path, root)),
  ]);
  return Object.fromEntries(texts);
}

const published = await publishedFiles();

/** A cache of its own for what is served, with the npm packages that are there. */
async function cacheFolder(): Promise<{ readonly path: string } & Disposable> {
  const folder = folderOf({}), { out } = await result(deno(["info", "--json"]));
  await Deno.symlink(JSON.parse(out).npmCache, `${folder.path}/npm`);
  return folder;
}

/** A program that uses each entry point, and trains on two ranks. `tf` is what it imports as TensorFlow.js. */
const program = (at: (entry: string) => string, tf: string) => `
  import * as tf from "${tf}";
  import { average, connect, DistributedOptimizer, errorFeedback } from "${at(".")}";
  import { topK } from "${at("./compressors")}";
  import { shard } from "${at("./optimizers")}";
  import { alone } from "${at("./transport")}";
  import { launchArgs } from "${at("./launch")}";
  import { compressorProperties } from "${at("./testing")}";
  import { setUp } from "${at("./wasm")}";
  async function main() {
    await setUp();
    using group = await connect();
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] });
    const optimizer = new DistributedOptimizer(tf.train.sgd(0.1), { method: errorFeedback(topK({ ratio: 0.5 })), group });
    model.compile({ optimizer, loss: "meanSquaredError" });
    const { xs, ys } = shard({ xs: tf.ones([8, 4]), ys: tf.ones([8, 1]) }, group);
    await model.fit(xs, ys, { epochs: 2, batchSize: 2, verbose: 0 });
    const properties = compressorProperties(topK({ ratio: 0.5 })).length > 0;
    console.log(
      tf.version.tfjs, tf.getBackend(), optimizer instanceof tf.Optimizer, group.size, properties,
      typeof average, alone().size, launchArgs().join(),
    );
  }
  if (import.meta.main) main();`;

const entry = (name: string) => (config.exports[name] as string).slice(2);
const flags = ["run", "-A", "--quiet", "--no-lock", "--no-check"];

for (
  const [how, version] of [
    ["from a clone, by a program's import map", "^4.22.0"],
    ["by address, without an import map", "^4.22.0"],
    ["by the names that JSR gives, from what is published", "4.22.0"],
    ["by address, under the lowest tfjs of the range", "4.10.0"],
  ] as const
) {
  Deno.test(`imports ${how}: alone, on workers and on processes`, async () => {
    using clone = folderOf(published);
    using cache = await cacheFolder();
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
      const text = published[new URL(url).pathname.slice(1)];
      return text === undefined
        ? new Response("", { status: 404 })
        : new Response(text, { headers: { "content-type": "application/typescript" } });
    });
    const base = how.startsWith("from a clone") ? `file://${clone.path}/` : `http://127.0.0.1:${server.addr.port}/`;
    const bare = !how.startsWith("by address"), names = Object.keys(config.exports as object);
    const at = (name: string) => bare ? `@gradwire/tfjs${name.slice(1)}` : base + entry(name);
    const imports = Object.fromEntries(names.map((name) => [`@gradwire/tfjs${name.slice(1)}`, base + entry(name)]));
    using folder = folderOf({
      "train.ts": program(at, `npm:@tensorflow/tfjs@${version}`),
      "deno.json": JSON.stringify(bare ? { imports } : {}),
    });
    const env = { DENO_DIR: cache.path, NO_COLOR: "1" }, tfjs = version.replace("^", "");
    const said = (size: number) => `${tfjs} wasm true ${size} true function 1 a,b`;
    const options = { cwd: folder.path, env };
    const alone = await result(deno([...flags, "train.ts", "a", "b"], options));
    assertEquals([alone.code, alone.out.trimEnd()], [0, said(1)], alone.err);
    for (const mode of [[], ["--processes"]]) {
      const launch = [...flags, base + entry("./launch"), ...mode, "--ranks", "2", "train.ts", "a", "b"];
      const { code, out, err } = await result(deno(launch, options));
      assertEquals([code, lines(out)], [0, [`[0] ${said(2)}`, `[1] ${said(2)}`]], err);
    }
  });
}

Deno.test("imports: published files name packages with ranges, in one place each, and import files that are published", () => {
  const specifiers: Record<string, Set<string>> = {};
  for (const [path, text] of Object.entries(published)) {
    if (!path.endsWith(".ts")) continue;
    const code = text.replace(/^\s*\*.*$/gm, "");
    for (const [, name] of code.matchAll(/^(?:import|export)\b[^"';]*?\bfrom "([^"]+)";$|^import "([^"]+)";$/gm)) {
      if (name === undefined || name.startsWith("node:")) continue;
      if (name.startsWith(".")) {
        const target = new URL(name, new URL(path, "file:///")).pathname.slice(1);
        assert(target in published, `${path} imports ${name}, which is not published`);
      } else {
        assertMatch(name, /^npm:(@[\w-]+\/)?[\w-]+@\^\d+\.\d+\.\d+$/, path);
        (specifiers[name.replace(/@\^.*/, "")] ??= new Set()).add(`${path} ${name}`);
      }
    }
  }
  for (const [name, places] of Object.entries(specifiers)) assertEquals(places.size, 1, `${name}: ${[...places]}`);
  // The project's own programs and tests use the same version.
  for (const [path, text] of Object.entries(published)) {
    if (!path.startsWith("dependencies/")) continue;
    const name = /"(npm:[^"]+)"/.exec(text)![1]!;
    assertEquals(config.imports[name.slice(4).replace(/@\^.*/, "")], name, path);
  }
});

Deno.test("imports: types can be taken out of every published file by leaving them out, as Node does", () => {
  const strip = stripTypeScriptTypes as (code: string, options: { mode: "strip" }) => string;
  for (const [path, text] of Object.entries(published)) {
    if (!path.endsWith(".ts") || path.startsWith("wasm/assembly/")) continue;
    try {
      strip(text, { mode: "strip" });
    } catch (cause) {
      throw new Error(`${path}: ${(cause as Error).message}`, { cause });
    }
  }
});
