/** Runs areas in workers and watches over them. @module */

import type { Area } from "./area.ts";
import type { Failure, Tally } from "./trial.ts";
import type { Order } from "./worker.ts";

/** What came of an area, and in what time. */
export interface Result extends Tally {
  readonly area: string;
  readonly seconds: number;
}

/** A case that does not end within this time hangs, in milliseconds. */
const HANGS = 180_000;

/**
 * Tries so many cases of an area, or as many as fit in a time.
 *
 * @param moved is told now and then how many there were
 */
export async function fuzz(
  area: Area,
  { seed, from = 0, cases, within = Infinity, moved = () => {} }: {
    readonly seed: number;
    readonly from?: number;
    readonly cases: number;
    readonly within?: number;
    readonly moved?: (cases: number) => void;
  },
): Promise<Result> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const clock = new SharedArrayBuffer(8), counter = new Uint32Array(clock);
  const { promise, resolve, reject } = Promise.withResolvers<Result>(), start = performance.now();
  let at = -1, since = performance.now(), done = 0, input = "Run this case alone to see what it tries.";
  // The worker posts as it works, so a case that hangs is one whose number stands still.
  const watch = setInterval(() => {
    const now = Atomics.load(counter, 0);
    if (now !== at) return void (at = now, since = performance.now());
    if (performance.now() - since < HANGS) return;
    const hang: Failure = { area: area.name, at, why: `it hangs: ${HANGS} ms have passed`, input };
    resolve({
      area: area.name,
      cases: done,
      accepted: 0,
      refused: 0,
      failures: [hang],
      seconds: (since - start) / 1000,
    });
  }, 500);
  worker.onmessage = ({ data }) => {
    if ("tally" in data) resolve({ area: area.name, seconds: data.seconds, ...data.tally });
    else if ("input" in data) input = data.input;
    else moved(done = data.cases);
  };
  worker.onerror = (event) => (event.preventDefault(), reject(new Error(`${area.name}: ${event.message}`)));
  worker.postMessage({ area: area.name, seed, from, cases, within, clock } satisfies Order);
  try {
    return await promise;
  } finally {
    clearInterval(watch);
    worker.terminate();
  }
}
