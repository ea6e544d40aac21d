/**
 * What peers send: the packets of every round, and the facts of a handshake. A round ends with the right bytes, or with a
 * sentence; and it reserves no more memory than was agreed.
 *
 * @module
 */

import { collective, memory, type Transport, TransportError, type WireRound } from "../../transport/mod.ts";
import { handshake } from "../../transport/handshake.ts";
import { accepts, type Area, isRefusal, type Try } from "./area.ts";
import { damaged } from "./damage.ts";
import type { Draw } from "./draw.ts";

const AGREED = 1 << 12;
const vector = () => Float32Array.of(1, 2, 3), bytes = Uint8Array.of(1, 2, 3, 4, 5);

/** A round of each op, new each time: an all-reduce writes into its vector. */
const rounds: Record<string, () => WireRound> = {
  allGather: () => ({ op: "allGather", message: bytes }),
  allToAll: () => ({ op: "allToAll", messages: [bytes, bytes.subarray(2)] }),
  allReduce: () => ({ op: "allReduce", vector: vector() }),
  broadcast: () => ({ op: "broadcast", root: 1, message: bytes }),
};

/** The packets that rank 1 of 2 sends in a round. */
async function recorded(make: () => WireRound): Promise<Uint8Array[]> {
  const [first, second] = memory(2) as [Transport, Transport], sent: Uint8Array[] = [];
  const listening: Transport = {
    rank: 1,
    size: 2,
    receive: (from) => second.receive(from),
    send: (to, message) => (sent.push(message.slice()), second.send(to, message)),
    [Symbol.asyncDispose]: () => second[Symbol.asyncDispose](),
  };
  const groups = [collective(first), collective(listening)];
  await Promise.all(groups.map((group) => group.perform(make())));
  for (const group of groups) await group[Symbol.asyncDispose]();
  return sent;
}

/** A transport to a peer that sends these packets and is then gone. */
function peer(packets: readonly Uint8Array[]): Transport {
  let at = 0;
  return {
    rank: 0,
    size: 2,
    send: () => Promise.resolve(),
    receive: () =>
      at < packets.length
        ? Promise.resolve(packets[at++]!)
        : Promise.reject(new TransportError("Cannot receive: rank 1 is gone", { rank: 1 })),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const FACTS = { size: 2, seed: 7, layout: { names: ["a"], shapes: [[2, 3]] }, method: "average(identity())" };
const encoder = new TextEncoder();

function tryHandshake(draw: Draw, note: (input: unknown) => void): boolean {
  const exchange = handshake(FACTS), round = exchange.next([]).value as unknown as { message: Uint8Array };
  const own = round.message.slice(), text = new TextDecoder().decode(own);
  const pieces = [
    '"__proto__":{"x":1},',
    "null",
    "[",
    "1e999",
    '"\\ud800"',
    '"constructor"',
    "{}",
    '"seed":8,',
    "\u001b[2J",
  ];
  const at = draw.below(text.length);
  const theirs = draw.once(2)
    ? damaged(own, own, draw)
    : encoder.encode(text.slice(0, at) + draw.of(pieces) + text.slice(at + draw.below(6)));
  note({ handshake: theirs });
  return accepts(() => void exchange.next([own, theirs]), true);
}

async function prepare(): Promise<Try> {
  const packets = new Map<string, Uint8Array[]>();
  for (const [op, make] of Object.entries(rounds)) packets.set(op, await recorded(make));
  const ops = Object.keys(rounds);
  return async (draw, note) => {
    if (draw.once(2)) return tryHandshake(draw, note);
    const op = draw.of(ops), other = packets.get(draw.of(ops))![0]!;
    const theirs = packets.get(op)!.map((packet) => draw.once(4) ? packet.slice() : damaged(packet, other, draw));
    if (draw.once(4)) theirs.splice(draw.below(theirs.length + 1), 0, damaged(other, other, draw));
    note({ op, theirs });
    const group = collective(peer(theirs), { maxMessageBytes: AGREED });
    try {
      const replies = await group.perform(rounds[op]!());
      if (replies.some((reply) => reply.length > AGREED)) throw new Error("it took a message longer than agreed");
      return true;
    } catch (error) {
      if (error instanceof TransportError && isRefusal(error, true)) return false;
      throw error;
    } finally {
      await group[Symbol.asyncDispose]();
    }
  };
}

/** Packets and handshakes. */
export const packets: Area = { name: "packets", share: 3, prepare };
