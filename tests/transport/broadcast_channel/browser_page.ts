/**
 * What browser_test.ts bundles and runs in a page: its main thread, which must not block, is rank 0 and awaits rounds;
 * ranks 1 and 2 are workers of the same bundle and block.
 *
 * @module
 */

import {
  broadcastChannel,
  broadcastChannelAsync,
  groupMemory,
} from "../../../transport/broadcast_channel/broadcast_channel.ts";
import type { GroupMemory } from "../../../transport/shared_memory/rendezvous.ts";
import { performTogether } from "../../../transport/drivers.ts";
import type { WireRound } from "../../../transport/round.ts";
import { exactRounds } from "../tools/rounds.ts";

const size = 3,
  name = "page",
  scope = globalThis as unknown as {
    document?: unknown;
    name: string;
    result: unknown;
    onmessage: (event: MessageEvent<GroupMemory>) => void;
    postMessage(message: unknown): void;
  };

/** The rounds of a rank, and a check of what came of them. */
const rounds = (rank: number) => exactRounds(size).map((all) => all[rank]!);
function count(rank: number, replies: readonly (readonly Uint8Array[])[], mine: readonly WireRound[]): number {
  return exactRounds(size).filter((all, i) => {
    const expected = performTogether(all)[rank]!, round = mine[i]!, model = all[rank]!;
    const sums = round.op !== "allReduce" || model.op !== "allReduce" || round.vector.join() === model.vector.join();
    return sums &&
      replies[i]!.map((reply) => reply.join()).join(";") === expected.map((reply) => reply.join()).join(";");
  }).length;
}

async function page() {
  const memory = groupMemory({ size });
  const refusal = await broadcastChannel({ name, rank: 0, size }).catch(String);
  // Without it: what cannot be announced is refused, on both sides.
  const start = (name: string) => new Worker("/bundle.js", { type: "module", name });
  const deaf = start("deaf"), unheard = await broadcastChannelAsync({ name: "deaf", rank: 0, size: 2 }).catch(String);
  deaf.terminate();
  const workers = [1, 2].map((rank) => start(`${rank}`));
  const right = workers.map((worker) => new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data)));
  for (const worker of workers) worker.postMessage(memory);
  await using group = await broadcastChannelAsync({ name, rank: 0, size, memory });
  const mine = rounds(0), replies: Uint8Array[][] = [];
  for (const round of mine) replies.push((await group.perform(round)).map((reply) => reply.slice()));
  return { refusal, unheard, right: [count(0, replies, mine), ...await Promise.all(right)] };
}

async function worker(rank: number) {
  const memory = await new Promise<GroupMemory>((resolve) => scope.onmessage = ({ data }) => resolve(data));
  const group = await broadcastChannel({ name, rank, size, memory });
  const mine = rounds(rank), replies = mine.map((round) => group.perform(round).map((reply) => reply.slice()));
  scope.postMessage(count(rank, replies, mine));
}

if (scope.document !== undefined) scope.result = page();
else if (scope.name === "deaf") broadcastChannel({ name: "deaf", rank: 1, size: 2 }).catch(() => {});
else worker(Number(scope.name));
