/**
 * Groups over a transport.
 *
 * All ranks are connected with one another, so that a collective is a direct exchange of one hop or two, whatever the
 * size of the group. A ring would send as many bytes, in n − 1 hops or more. Sums are taken in rank order, as {@link
 * performTogether} takes them: a run has the same bits in one thread, between workers and over TCP.
 *
 * @module
 */

import { Channel, type Reserve, roomToGrow } from "./channel.ts";
import { chooseAlgorithm } from "./choose.ts";
import { checkDeadlines, type Deadlines } from "../deadlines.ts";
import { checkRound, encodedBytes, floatsOf } from "../ops.ts";
import { checkInteger, checkOptions, show } from "../../options.ts";
import { RoundDeadlines } from "./round_deadlines.ts";
import type { Collective, WireRound } from "../round.ts";
import { lossOf, type Transport, TransportError } from "../transport.ts";

/** Options of {@link collective}. */
export interface CollectiveOptions extends Omit<Deadlines, "connectTimeout"> {
  /** The longest message that is sent or accepted, in bytes. Default 2³⁰. */
  readonly maxMessageBytes?: number;
}

/** How long a rank that gives up waits for its peers to be told why, in milliseconds. */
const tellingMs = 1000;
const none: readonly Uint8Array[] = [];

/**
 * Makes a group of ranks over a transport. The group owns the transport: disposing of the group disposes of the
 * transport.
 *
 * With n ranks and `wire(b) = b + 16 + f·max(1, ⌈b / 262 144⌉)` for a message of b bytes, f being the transport's
 * framing per packet (8 over TCP), a rank sends
 *
 * - allGather: `(n−1) · wire(its message)`, in one hop;
 * - allToAll: the sum of `wire(message)` over the messages to others, in one hop;
 * - allReduce of d floats: up to 32 KiB, `(n−1) · wire(4d)`, in one hop. Of longer vectors rank p is responsible for
 *   the dₚ coordinates from ⌊dp/n⌋ to ⌊d(p+1)/n⌋ − 1: a rank sends the sum of `wire(4 dₚ)` over the others and then
 *   `(n−1) · wire(4 d of its own)`, in two hops;
 * - broadcast: `wire(message)` to each child in the binomial tree, in ⌈log₂ n⌉ hops, packet by packet.
 *
 * A failed round leaves the vector as it was and ends the group: every rank then throws an error that names the same
 * rank. When that happens in the middle of a round, some ranks may have finished it and some not; they are never more
 * than one round apart, but for the root of a broadcast, which waits for nobody.
 *
 * @param transport what connects the ranks, such as `memory(3)[0]` or `await tcp(…)`
 * @param options deadlines, and the longest message
 * @returns this rank's side of the group
 * @throws {RangeError} if an option is out of range
 * @throws {TypeError} if an option is unknown, or the transport is none
 * @example
 * ```ts
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const groups = memory(3).map((transport) => collective(transport));
 * const vectors = groups.map(({ rank }) => Float32Array.of(rank, 1));
 * await Promise.all(groups.map((group, rank) => group.perform({ op: "allReduce", vector: vectors[rank]! })));
 * console.assert(vectors.every((vector) => vector.join() === "3,3"));
 * ```
 */
export function collective(transport: Transport, options: CollectiveOptions = {}): Collective {
  checkOptions("make a group", options, ["timeout", "roundTimeout", "maxMessageBytes"]);
  return communicator(transport, options);
}

/** A group that also gives the reply of an all-reduce as the sum's bytes, and leaves the vector as it is. */
interface Communicator extends Collective {
  exchange(round: WireRound): Promise<readonly Uint8Array[]>;
}

/**
 * As {@link collective}, for those who say where the replies lie, or which algorithm performs a round.
 *
 * @param parts.reserve returns memory for the replies of a round. Default: memory that grows and is used again
 * @param parts.choose chooses the algorithm of a round, the same one on all ranks
 */
export function communicator(
  transport: Transport,
  options: CollectiveOptions,
  parts: { readonly reserve?: Reserve; readonly choose?: typeof chooseAlgorithm } = {},
): Communicator {
  const { maxMessageBytes = 2 ** 30 } = options, { reserve = growingMemory(), choose = chooseAlgorithm } = parts;
  checkDeadlines("make a group", options);
  checkInteger("make a group", "maxMessageBytes", maxMessageBytes, 1, 2 ** 32 - 1);
  if (typeof transport?.send !== "function" || typeof transport.receive !== "function") {
    throw new TypeError(`Cannot make a group: the transport is ${show(transport)}, expected one such as memory(1)[0]`);
  }
  const { rank, size } = transport, deadlines = new RoundDeadlines(transport, options);
  const channel = new Channel(transport, deadlines, maxMessageBytes, reserve), { traffic } = channel;
  let busy = false, failure: TransportError | undefined;

  /** The peers are told before this rank's caller, which may end the process; but nobody waits long for deaf ones. */
  async function tellPeers(reason: TransportError): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const told = async () => {
      try {
        await (transport.abort?.(reason) ?? transport[Symbol.asyncDispose]());
      } catch {
        // The group has failed already, and that is what its caller is told.
      }
    };
    await Promise.race([told(), new Promise((resolve) => timer = setTimeout(resolve, tellingMs))]);
    clearTimeout(timer);
  }

  async function exchange(round: WireRound): Promise<readonly Uint8Array[]> {
    if (failure) throw failure;
    if (busy) throw new TypeError(`Cannot perform ${round.op}: the round before has not ended; await what began it`);
    checkRound(round, size, maxMessageBytes);
    busy = true;
    traffic.rounds++;
    traffic.encodedBytes += encodedBytes(round, rank);
    try {
      const work = choose(round, size)(channel, round);
      return await (size === 1 ? work : deadlines.within(round, traffic.rounds, work));
    } catch (error) {
      const reason = failure ??= error instanceof TransportError
        ? error
        : new TransportError(`Cannot finish ${round.op}: ${error instanceof Error ? error.message : error}`, {
          rank,
          cause: error,
        });
      await tellPeers(reason);
      throw reason;
    } finally {
      busy = false;
    }
  }

  return {
    rank,
    size,
    traffic,
    exchange,
    async perform(round) {
      const replies = await exchange(round);
      if (round.op !== "allReduce") return replies;
      round.vector.set(floatsOf(replies[0]!));
      return none;
    },
    async abort(reason) {
      if (failure) return;
      failure = lossOf(reason, rank);
      await tellPeers(failure);
    },
    async [Symbol.asyncDispose]() {
      failure ??= new TransportError(`Cannot perform a round: rank ${rank} has left the group`, { rank });
      await transport[Symbol.asyncDispose]();
    },
  };
}

function growingMemory(): Reserve {
  let memory = new Uint8Array(0);
  return (byteLength) => {
    if (memory.byteLength < byteLength) memory = new Uint8Array(roomToGrow(byteLength));
    return memory.subarray(0, byteLength);
  };
}
