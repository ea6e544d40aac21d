/**
 * Training on tfjs's wasm backend. Importing this module registers the backend, and in it kernels that make training
 * fast: every matrix product (transposed, batched, fused), the gathering of batches, square roots, and Adam's step as
 * one kernel for each variable. Models, optimizers and results stay tfjs's own. The backend has no gradients of
 * convolutions and embeddings: models with such layers train on another backend, which the error names.
 *
 * In Deno this needs `--allow-read`, with which tfjs reads the WebAssembly binary from its npm package, and nothing else:
 * on the main thread and in workers, offline once packages are cached, whatever folder the program is in. A page whose
 * bundler moves the binaries says where they are: {@linkcode setUp}.
 *
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import "@gradwire/tfjs/wasm";
 *
 * await tf.setBackend("wasm");
 * const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [3], units: 1 })] });
 * model.compile({ optimizer: tf.train.adam(), loss: "meanSquaredError" });
 * await model.fit(tf.ones([8, 3]), tf.ones([8, 1]), { verbose: 0 });
 * ```
 *
 * @module
 */

import * as tf from "../dependencies/tfjs.ts";
import { setWasmPaths } from "../dependencies/tfjs_backend_wasm.ts";
import { registerAdam } from "./adam.ts";
import { registerElementwise } from "./elementwise.ts";
import { registerGather } from "./gather_v2.ts";
import { registerMatMul } from "./matmul.ts";
import { registerMissing } from "./missing.ts";

registerMatMul();
registerElementwise();
registerGather();
registerAdam();
registerMissing();

/**
 * Where tfjs finds its binaries, by name; where a name has no entry, in its own folder. tfjs keeps this object, and takes no
 * other one once a start has failed: so a second one can be tried with other folders.
 */
const files: Record<string, string> = {};
const names = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);

function look(folder: string | undefined): void {
  for (const name of names) {
    if (folder === undefined) delete files[name];
    else files[name] = folder + name;
  }
}

look("");
setWasmPaths(files); // It wants an entry for each.
look(undefined);

/** How to start the backend. */
export interface SetUpOptions {
  /** The folder that holds tfjs's three `.wasm` files, as a URL or path with a slash at its end; by default, tfjs's own. */
  readonly binaries?: string;
}

/**
 * Starts the wasm backend and makes it tfjs's current one: `tf.setBackend("wasm")`, but with an error where that
 * answers `false` and goes on with another backend. Where it has failed it may be called again, with another folder too.
 *
 * Throws an Error if the backend does not start, for example because Deno was started without `--allow-read`.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { setUp } from "@gradwire/tfjs/wasm";
 *
 * await setUp();
 * console.assert(tf.getBackend() === "wasm");
 * ```
 */
export async function setUp({ binaries }: SetUpOptions = {}): Promise<void> {
  look(binaries);
  if (!await tf.setBackend("wasm")) {
    throw new Error(
      binaries === undefined
        ? "Cannot set up the wasm backend: tfjs could not read its binary (in Deno this needs --allow-read)"
        : `Cannot set up the wasm backend: tfjs could not read its binary from ${binaries}`,
    );
  }
}
