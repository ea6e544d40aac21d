/** A worker that holds one rank of a blocking group and performs the rounds that it is sent. See remote.ts. */

import {
  blocking,
  type BlockingCollective,
  type BlockingOptions,
  broadcastChannel,
  type BroadcastChannelOptions,
  tcpBlocking,
  type TcpOptions,
  TransportError,
  type WireRound,
} from "../../../transport/mod.ts";

const scope = globalThis as unknown as { onmessage: (event: { data: Ask }) => void; postMessage(answer: Answer): void };

/** What a rank is asked. */
export type Ask =
  | { readonly connect: TcpOptions }
  | { readonly make: BlockingOptions }
  | { readonly join: BroadcastChannelOptions }
  | {
    readonly round: WireRound;
  }
  | { readonly dispose: true }
  | { readonly abort: string; readonly named: number | undefined };
/** What it answers. */
export interface Answer {
  readonly error?: { readonly name: string; readonly message: string; readonly rank: number | undefined };
  readonly replies?: readonly Uint8Array[];
  readonly vector?: Float32Array | undefined;
  readonly traffic?: BlockingCollective["traffic"] | undefined;
}

let group: BlockingCollective | undefined;

scope.onmessage = async ({ data }) => {
  const vector = "round" in data && data.round.op === "allReduce" ? data.round.vector : undefined;
  try {
    let replies: readonly Uint8Array[] = [];
    if ("connect" in data) group = await tcpBlocking(data.connect);
    else if ("make" in data) group = await blocking(data.make);
    else if ("join" in data) group = await broadcastChannel(data.join);
    else if ("round" in data) replies = group!.perform(data.round);
    else if ("abort" in data) {
      const { abort, named } = data;
      group!.abort!(named === undefined ? new Error(abort) : new TransportError(abort, { rank: named }));
    } else group?.[Symbol.dispose]();
    scope.postMessage({
      replies: replies.map((reply) => reply.slice()),
      vector,
      traffic: group && { ...group.traffic },
    });
  } catch (thrown) {
    const { name, message } = thrown as Error, rank = thrown instanceof TransportError ? thrown.rank : undefined;
    scope.postMessage({ error: { name, message, rank }, vector });
  }
};
