/** How a worker is kept from keeping its process alive. @module */

/**
 * Lets the process end although the worker runs, so that a script that does not dispose of its group does not hang at
 * its end.
 *
 * A web Worker has no `unref`. Deno has had the switch since denoland/deno#22778 (of issue #22629), for its
 * node:worker_threads, as a method of `Worker.prototype` under the one symbol there that has no name (seen in 2.9).
 * Elsewhere nothing is done.
 */
export function releaseWorker(worker: Worker): void {
  const hold = Object.getOwnPropertySymbols(Worker.prototype).find(({ description }) => !description);
  const held = hold && (worker as unknown as Record<symbol, unknown>)[hold];
  if (typeof held === "function") held.call(worker, false);
}
