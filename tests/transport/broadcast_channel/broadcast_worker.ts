/** A rank in a worker: joins a group, does one of the deeds below, posts what came of it. @module */

import { performTogether } from "../../../transport/drivers.ts";
import { type BlockingCollective, broadcastChannel, type BroadcastChannelOptions } from "../../../transport/mod.ts";
import { exactRounds } from "../tools/rounds.ts";

const same = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

const deeds = {
  /** Performs rounds whose replies it can compute itself. */
  exact(group: BlockingCollective) {
    const { rank, size } = group;
    const mine = exactRounds(size), together = exactRounds(size);
    let checked = 0;
    for (const [i, rounds] of together.entries()) {
      const expected = performTogether(rounds)[rank]!; // writes the sum into the vectors
      const round = mine[i]![rank]!, model = rounds[rank]!, replies = group.perform(round);
      if (replies.length !== expected.length || !replies.every((reply, i) => same(reply, expected[i]!))) {
        throw new Error(`rank ${rank}: round ${checked} (${round.op}) has other replies`);
      }
      if (round.op === "allReduce" && model.op === "allReduce" && !same(bytes(round.vector), bytes(model.vector))) {
        throw new Error(`rank ${rank}: round ${checked}, another sum`);
      }
      checked++;
    }
    return { checked, traffic: group.traffic };
  },
  /** Rounds without end. */
  go(group: BlockingCollective) {
    const vector = new Float32Array(10_000);
    for (let round = 0;; round++) {
      group.perform({ op: "allReduce", vector });
      if (round === 10) postMessage("going");
    }
  },
  /** Rounds without end, with time in between to be terminated: Deno (2.9) terminates no worker that is in a loop. */
  async amble(group: BlockingCollective) {
    const vector = new Float32Array(10_000);
    for (let round = 0;; round++) {
      group.perform({ op: "allReduce", vector });
      if (round === 10) postMessage("going");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
  throws(group: BlockingCollective) {
    group.perform({ op: "allReduce", vector: new Float32Array(10_000) });
    setTimeout(() => {
      throw new Error("the deed");
    });
    return new Promise(() => {});
  },
  rejects(group: BlockingCollective) {
    group.perform({ op: "allReduce", vector: new Float32Array(10_000) });
    Promise.reject(new Error("the promise"));
    return new Promise(() => {});
  },
  exits(group: BlockingCollective) {
    group.perform({ op: "allReduce", vector: new Float32Array(10_000) });
    Deno.exit(3);
  },
  leaves(group: BlockingCollective) {
    group.perform({ op: "allReduce", vector: new Float32Array(10_000) });
    group[Symbol.dispose]();
  },
  /** Asks for another round than the others. */
  gathers(group: BlockingCollective) {
    group.perform({ op: "allGather", message: new Uint8Array(3) });
  },
  shorter(group: BlockingCollective) {
    group.perform({ op: "allReduce", vector: new Float32Array(9_999) });
  },
};

/** What a rank is asked to do. */
export type Deed = keyof typeof deeds;

/** What came of it. */
export type Outcome =
  | { readonly value: unknown }
  | {
    readonly error: { readonly name: string; readonly message: string; readonly rank?: number };
    readonly after: number;
  };

const { addEventListener, postMessage } = globalThis as unknown as {
  addEventListener(
    type: "message",
    listener: (event: MessageEvent<{ options: BroadcastChannelOptions; deed: Deed }>) => void,
  ): void;
  postMessage(outcome: Outcome | "going"): void;
};

addEventListener("message", async ({ data: { options, deed } }) => {
  const begin = performance.now();
  try {
    const group = await broadcastChannel(options);
    postMessage({ value: await deeds[deed](group) });
  } catch (error) {
    const { name, message, rank } = error as Error & { rank?: number };
    postMessage({
      error: { name, message, ...(rank === undefined ? {} : { rank }) },
      after: performance.now() - begin,
    });
  }
});
