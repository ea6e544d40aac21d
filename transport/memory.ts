/** Transports between ranks of one thread. @module */

import { checkInteger } from "../options.ts";
import { type Transport, TransportError } from "./transport.ts";

/** The messages that one rank has sent to another and the other has not received yet. */
class Link {
  readonly #messages: Uint8Array[] = [];
  readonly #receivers: { resolve(message: Uint8Array): void; reject(error: unknown): void }[] = [];
  #end: TransportError | undefined;

  push(message: Uint8Array): void {
    if (this.#end) throw this.#end;
    const copy = message.slice(), receiver = this.#receivers.shift();
    if (receiver) receiver.resolve(copy);
    else this.#messages.push(copy);
  }

  pull(): Promise<Uint8Array> {
    const message = this.#messages.shift();
    if (message) return Promise.resolve(message);
    if (this.#end) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => void this.#receivers.push({ resolve, reject }));
  }

  /** Ends the link: what was sent before is still received, and then this error. */
  end(error: TransportError): void {
    this.#end ??= error;
    for (const { reject } of this.#receivers.splice(0)) reject(this.#end);
  }
}

/** The most ranks of one thread: there is a link for each two of them. */
const mostRanks = 4096;

/**
 * Connects ranks of one thread, as tests and simulations do. A message is copied once, when it is sent, and a send
 * never waits for its receiver.
 *
 * @param size how many ranks, from 1 to 4096
 * @returns the ranks' transports, in rank order. Disposing of one ends the links to its peers
 * @throws {RangeError} if `size` is no such integer
 * @example
 * ```ts
 * import { memory } from "@gradwire/tfjs/transport";
 * const [first, second] = memory(2);
 * await first!.send(1, Uint8Array.of(1, 2, 3));
 * console.assert((await second!.receive(0)).join() === "1,2,3");
 * ```
 */
export function memory(size: number): Transport[] {
  checkInteger("make a group", "size", size, 1, mostRanks);
  const links = Array.from({ length: size }, () => Array.from({ length: size }, () => new Link()));
  const link = (from: number, to: number): Link => {
    const found = links[from]?.[to];
    if (!found) throw new RangeError(`Cannot reach rank ${from === to ? to : `${to} from ${from}`}: size is ${size}`);
    return found;
  };
  return links.map((_, rank) => {
    const close = (theirs: TransportError, mine: TransportError) => {
      links.forEach((row, peer) => {
        if (peer === rank) return;
        links[rank]![peer]!.end(theirs);
        row[rank]!.end(mine);
      });
      return Promise.resolve();
    };
    return {
      rank,
      size,
      framing: 0,
      // deno-lint-ignore require-await -- what goes wrong must reject, not throw
      send: async (to, message) => link(rank, to).push(message),
      receive: async (from) => await link(from, rank).pull(),
      abort: (reason) =>
        close(
          new TransportError(`Cannot go on: rank ${rank} gave up: ${reason.message}`, { rank: reason.rank ?? rank }),
          reason,
        ),
      [Symbol.asyncDispose]: () =>
        close(
          new TransportError(`Cannot exchange with rank ${rank}: it left the group`, { rank }),
          new TransportError(`Cannot exchange: rank ${rank} has left the group`, { rank }),
        ),
    };
  });
}
