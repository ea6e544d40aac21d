/** A transport that only tests have: messages posted on a BroadcastChannel, for ranks in workers of one process. @module */

import { type Collective, collective, type Transport, TransportError } from "../../../transport/mod.ts";

/** Whom a rank meets. */
export interface ChannelOptions {
  readonly name: string;
  readonly rank: number;
  readonly size: number;
}

type Packet = { readonly from: number; readonly to?: number; readonly message?: Uint8Array; readonly left?: true };

/** Connects a rank. Ranks greet one another until each has heard all others. */
export async function connect({ name, rank, size }: ChannelOptions): Promise<Transport> {
  const channel = new BroadcastChannel(name), heard = new Set([rank]), lost = new Set<number>();
  const arrived = Array.from({ length: size }, (): Uint8Array[] => []),
    say = (packet: Packet) => channel.postMessage(packet);
  let wake = () => {};
  channel.onmessage = ({ data: { from, to, message, left } }: MessageEvent<Packet>) => {
    if (!heard.has(from)) heard.add(from), say({ from: rank });
    if (left) lost.add(from);
    if (to === rank) arrived[from]!.push(message!);
    wake();
  };
  const next = () => new Promise<void>((resolve) => wake = combined(wake, resolve));
  while (heard.size < size) {
    say({ from: rank });
    await Promise.race([next(), new Promise((resolve) => setTimeout(resolve, 20))]);
  }
  const gone = (peer: number) => new TransportError(`Cannot exchange with rank ${peer}: it has left`, { rank: peer });
  return {
    rank,
    size,
    // deno-lint-ignore require-await -- what goes wrong must reject, not throw
    async send(to, message) {
      if (lost.has(to) || lost.has(rank)) throw gone(lost.has(rank) ? rank : to);
      say({ from: rank, to, message: message.slice() });
    },
    async receive(from) {
      for (;;) {
        const message = arrived[from]!.shift();
        if (message) return message;
        if (lost.has(from) || lost.has(rank)) throw gone(lost.has(rank) ? rank : from);
        await next();
      }
    },
    [Symbol.asyncDispose]() {
      if (!lost.has(rank)) say({ from: rank, left: true }), lost.add(rank), setTimeout(() => channel.close(), 20);
      wake();
      return Promise.resolve();
    },
  };
}

function combined(first: () => void, second: () => void): () => void {
  return () => (first(), second());
}

/** A group over it. */
export async function group(options: ChannelOptions): Promise<Collective> {
  return collective(await connect(options));
}

/** No transport. */
export const nothing = () => ({ rank: 0 });

/** Fails to connect. */
export const failing = () => Promise.reject(new TransportError("Cannot meet: rank 3 is asleep", { rank: 3 }));

/** Never connects. */
export const never = () => new Promise<never>(() => {});
