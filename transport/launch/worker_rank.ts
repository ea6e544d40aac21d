/** Ranks that are workers of this process. @module */

import { SHARE_ENV, Worker } from "node:worker_threads";
import type { End } from "./failure.ts";
import { neverConnected } from "./process_rank.ts";
import type { Running } from "./running_rank.ts";
import type { Failure, RankStart, Said } from "./start.ts";

/** Starts a rank as a worker: a thread that ends when it has nothing more to do, and then tells so. */
export function startWorker(start: RankStart): Running {
  const { rank, size } = start.place, module = new URL("./worker_entry.ts", import.meta.url);
  // Workers of node:worker_threads take URLs of files and data only.
  const entry = module.protocol === "file:"
    ? module
    : new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(module.href)}`)}`);
  const worker = new Worker(entry, { name: `rank ${rank}`, workerData: start, env: SHARE_ENV });
  // What goes through process.stdout is kept for a reader too, which has to be told to throw it away.
  worker.stdout.resume();
  worker.stderr.resume();
  const { promise: ended, resolve } = Promise.withResolvers<End>();
  const failed = ({ name, message, stack, lost }: Failure) => {
    const error = Object.assign(new Error(message), { name, stack });
    resolve({ rank, code: 1, why: `failed: ${name}: ${message}`, error, lost });
  };
  let connected = false;
  worker.on("message", (said: Said) => {
    if (said?.gradwire === "failed") failed(said.failure);
    else if (said?.gradwire === "ended") connected = said.connected;
  });
  worker.on("error", failed);
  const gone = new Promise<void>((exited) =>
    worker.on("exit", (code) => {
      exited();
      if (code !== 0) resolve({ rank, code, why: `ended with exit code ${code}` });
      else resolve(connected || size === 1 ? { rank, code } : { rank, code: 1, why: neverConnected });
    })
  );
  return { ended, gone, end: () => void worker.terminate() };
}
