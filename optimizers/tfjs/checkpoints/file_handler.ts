import { bytesOf } from "../../../bytes.ts";
import * as tf from "../../../dependencies/tfjs.ts";
import { show } from "../../../options.ts";
import { digest } from "../../files/digest.ts";
import { codeOf, type Files, openFiles, pathOf, replaceFile } from "../../files/file_system.ts";
import type { IOHandler } from "../variables/tfjs.ts";

/**
 * Makes a handler that saves a model into a folder, or loads it from there, under Deno and Node. `model.save`,
 * `tf.loadLayersModel` and `tf.loadGraphModel` take it in place of a URL. The files are those of tfjs: `model.json`,
 * and the weights in a file that is named by their digest. Models with several files of weights are loaded too. Several
 * models may share a folder under names of their own, such as `best.json` and `last.json`; each has its own file of
 * weights.
 *
 * A model is replaced at once: if the process is killed at any moment, the folder holds the old model or the new one.
 * Of several ranks only one should save. {@linkcode saveTo} saves all that training needs.
 *
 * @param path the folder, or a .json file in it: a path or a file: URL
 * @returns the handler, which throws an Error that names the file if one is missing, damaged or cannot be written
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { fileHandler } from "@gradwire/tfjs";
 * const folder = await Deno.makeTempDir();
 * const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
 * await model.save(fileHandler(folder));
 * const loaded = await tf.loadLayersModel(fileHandler(folder));
 * console.assert(loaded.countParams() === 3);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export function fileHandler(path: string | URL): IOHandler {
  const [saving, loading] = [`save the model to ${path}`, `load the model from ${path}`];
  return {
    save: (artifacts) => named(saving, path, (files, folder, json) => save(files, folder, json, artifacts)),
    load: () => named(loading, path, load),
  };
}

let registered = false;

/**
 * Makes tfjs know URLs of the scheme `file://`, as it does with tfjs-node: `model.save("file://folder")`,
 * `tf.loadLayersModel("file://folder/model.json")`. What follows the scheme is the path; nothing in it is decoded.
 * Calling it twice does no harm. Where tfjs-node is imported it is not needed, and tfjs then throws "more than one
 * handler".
 *
 * @example
 * ```ts
 * import { registerFileHandler } from "@gradwire/tfjs/optimizers";
 * registerFileHandler(); // await model.save("file://my model");
 * ```
 */
export function registerFileHandler(): void {
  if (registered) return;
  registered = true;
  // tfjs asks every router. One that answers null leaves the URL to the others, which the types do not say.
  const router = (url: string | string[]) =>
    (typeof url === "string" && url.startsWith("file://")
      ? fileHandler(url.slice("file://".length))
      : null) as IOHandler;
  tf.io.registerSaveRouter(router);
  tf.io.registerLoadRouter(router);
}

/** Does some work in the folder, and says in its errors what was to be done. */
async function named<T>(
  doing: string,
  path: string | URL,
  work: (files: Files, folder: string, json: string) => Promise<T>,
): Promise<T> {
  try {
    const whole = await pathOf(path), files = await openFiles(), slash = whole.lastIndexOf("/");
    if (!whole.endsWith(".json")) return await work(files, whole, "model.json");
    return await work(files, slash < 0 ? "." : whole.slice(0, slash) || "/", whole.slice(slash + 1));
  } catch (cause) {
    throw new Error(`Cannot ${doing}: ${(cause as Error).message}`, { cause });
  }
}

/** The names of weight files that this handler writes, with the digest of their bytes. */
const NAMED = /(?:^|-)weights-([0-9a-f]{16})\.bin$/;

/** How the names of a model's weight files begin. Each model removes its old files, so no two models may share one. */
const prefixOf = (json: string) => (json === "model.json" ? "" : `${json.slice(0, -".json".length)}-`) + "weights-";

async function save(files: Files, folder: string, json: string, artifacts: tf.io.ModelArtifacts) {
  const { weightData, weightSpecs, getWeightStream: _, ...rest } = artifacts;
  if (rest.modelTopology instanceof ArrayBuffer) throw new Error("its topology is binary, expected JSON");
  const bytes = weightData && new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
  const name = bytes && `${prefixOf(json)}${digest().bytes(bytes).hex()}.bin`;
  await files.mkdir(folder, { recursive: true });
  const before = await weightFiles(files, folder, json);
  if (bytes) await replaceFile(files, folder, name!, bytes);
  const weightsManifest = bytes ? [{ paths: [name!], weights: weightSpecs ?? [] }] : [];
  await replaceFile(files, folder, json, new TextEncoder().encode(JSON.stringify({ ...rest, weightsManifest })));
  // Only now the old weights are no longer needed.
  for (const old of before) if (old !== name) await files.rm(`${folder}/${old}`, { recursive: true, force: true });
  return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
}

/** The weight files of the model that is to be replaced, if this handler wrote them. */
async function weightFiles(files: Files, folder: string, json: string): Promise<string[]> {
  try {
    const text = new TextDecoder().decode(await files.readFile(`${folder}/${json}`));
    const { weightsManifest } = JSON.parse(text) as tf.io.ModelJSON, prefix = prefixOf(json);
    return weightsManifest.flatMap(({ paths }) => paths)
      .filter((path) =>
        path.startsWith(prefix) && NAMED.test(path) && path.lastIndexOf("weights-") === prefix.length - 8
      );
  } catch {
    return []; // There is no model, or another program wrote it: its weights are left alone.
  }
}

async function load(files: Files, folder: string, json: string): Promise<tf.io.ModelArtifacts> {
  let model: tf.io.ModelJSON;
  const text = new TextDecoder().decode(await read(files, folder, json));
  try {
    model = JSON.parse(text) as tf.io.ModelJSON;
  } catch (cause) {
    throw new Error(`${json} is damaged: it is not JSON`, { cause });
  }
  if (!model?.modelTopology && !Array.isArray(model?.weightsManifest)) {
    throw new Error(`${json} has neither modelTopology nor weightsManifest, expected a model of tfjs`);
  }
  return await tf.io.getModelArtifactsForJSON(model, async (manifest) => {
    const parts: ArrayBuffer[] = [], specs = manifest.flatMap(({ weights }) => weights);
    for (const { paths, weights } of manifest) {
      const group: ArrayBuffer[] = [];
      for (const path of paths) group.push(await read(files, folder, path));
      const expected = byteLengthOf(weights), length = group.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (expected !== undefined && length !== expected) {
        throw new Error(`${paths.join(", ")} have ${length} bytes, expected the ${expected} of their weights`);
      }
      parts.push(...group);
    }
    return [specs, tf.io.CompositeArrayBuffer.join(parts)];
  });
}

async function read(files: Files, folder: string, name: string): Promise<ArrayBuffer> {
  if (typeof name !== "string" || /(^|[\\/])\.\.([\\/]|$)|^\//.test(name)) {
    throw new Error(`its file ${show(name)} lies outside of the folder`);
  }
  let bytes: Uint8Array;
  try {
    bytes = bytesOf(await files.readFile(`${folder}/${name}`)).slice();
  } catch (cause) {
    throw new Error(
      `${name} ${codeOf(cause) === "ENOENT" ? "is missing" : "cannot be read"}: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  const stated = NAMED.exec(name)?.[1];
  if (stated !== undefined && digest().bytes(bytes).hex() !== stated) {
    throw new Error(`${name} is damaged: its digest is another`);
  }
  return bytes.buffer as ArrayBuffer;
}

const WIDTHS: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  complex64: 8,
};

/** How many bytes weights have; unknown where they are texts. */
function byteLengthOf(weights: readonly tf.io.WeightsManifestEntry[]): number | undefined {
  let sum = 0;
  for (const { shape, dtype, quantization } of weights) {
    const width = WIDTHS[quantization?.dtype ?? dtype];
    if (width === undefined) return undefined;
    sum += width * shape.reduce((product, length) => product * length, 1);
  }
  return sum;
}
