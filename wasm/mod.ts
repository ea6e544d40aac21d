/**
 * Fast training on tfjs's wasm backend. Importing this module registers the backend, and kernels in it that make
 * training fast: all matrix products (transposed, batched, fused), the gathering of batches, square roots, and Adam's
 * step as one kernel for each variable. Models and optimizers remain tfjs's own. The backend has no gradients of
 * convolutions and embeddings: a model with such layers trains on another backend, which the error names.
 *
 * Under Deno this needs `--allow-read`, by which tfjs reads the WebAssembly binary from its npm package, and no other
 * permission. It works on the main thread and in workers, in any folder, and offline once the packages are cached. A
 * page whose bundler moves the binaries says where they are by {@linkcode setUp}.
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
 * For each binary of tfjs where it lies; a binary without an entry lies in tfjs's own folder. tfjs keeps this object
 * and takes no other one after a start that has failed, so it is changed in place for a second try with another folder.
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
setWasmPaths(files); // which demands an entry for each binary
look(undefined);

/** The options of {@linkcode setUp}. */
export interface SetUpOptions {
  /** The folder of tfjs's three `.wasm` files: a URL or path that ends with a slash. Default: tfjs's own. */
  readonly binaries?: string;
}

/**
 * Starts the wasm backend and makes it tfjs's current one. Unlike `tf.setBackend("wasm")`, which returns `false` and
 * goes on with another backend, it throws if the backend does not start. Then it may be called again, also with another
 * folder.
 *
 * @throws {Error} if the backend does not start, for example because Deno was started without `--allow-read`
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
