/** Runs cases in a thread of its own, so that one that hangs can be told and ended. @module */

import { areas } from "./areas.ts";
import { Trial } from "./trial.ts";

/** What the worker is asked for. */
export interface Order {
  readonly area: string;
  readonly seed: number;
  readonly from: number;
  readonly cases: number;
  /** Milliseconds after which it stops. */
  readonly within: number;
  /** The number of the case under way is stored here, two words. */
  readonly clock: SharedArrayBuffer;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data: { area: name, seed, from, cases, within, clock } }) => {
  const counter = new Uint32Array(clock), area = areas.find((area) => area.name === name)!;
  const trial = new Trial(area, seed, (input) => scope.postMessage({ input })), start = performance.now();
  let told = start;
  const begin = (at: number) => void Atomics.store(counter, 0, at);
  const enough = () => {
    const now = performance.now();
    if (now - told > 250) scope.postMessage({ cases: trial.tally.cases }), told = now;
    return now - start > within;
  };
  await trial.run(from, from + cases, begin, enough);
  scope.postMessage({ tally: trial.tally, seconds: (performance.now() - start) / 1000 });
};
