/**
 * Training on tfjs's wasm backend: registers the backend, and kernels that make backward passes fast on it.
 *
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import "@gradwire/tfjs/wasm";
 *
 * await tf.setBackend("wasm");
 * ```
 *
 * In Deno this needs `--allow-read` (tfjs reads the WebAssembly binary from its npm package) and nothing else, on the
 * main thread and in workers, offline once packages are cached.
 *
 * @module
 */

import "@tensorflow/tfjs-backend-wasm";
import { registerAdam } from "./adam.ts";
import { registerElementwise } from "./elementwise.ts";
import { registerGather } from "./gather.ts";
import { registerMatMul } from "./matmul.ts";

registerMatMul();
registerElementwise();
registerGather();
registerAdam();

export { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
