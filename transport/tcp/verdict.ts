/** How rank 0 decides, while the ranks meet, whether all are ready, and otherwise which rank is to blame. @module */

import { type Abort, abortError, readAbort } from "./abort.ts";
import { type ControlPacket, kinds } from "./wire.ts";
import { TransportError } from "../transport.ts";

/** Collects what the other ranks tell rank 0: that they are ready, or that they cannot go on, or that their connection ended. */
interface Verdict extends Disposable {
  /** Resolves when all ranks are ready; rejects with the reason that all of them are told. */
  readonly result: Promise<void>;
  /** A rank has said something, or its connection has ended. */
  heard(rank: number, where: string, said: ControlPacket): void;
  /** The reason to give when the deadline is over, by what is known until then. */
  late(limit: string): TransportError;
}

/**
 * @param size how many ranks there are, rank 0 included
 * @param patienceMs how long to wait, after one rank has given up, for what the others say of it
 */
export function verdict(size: number, patienceMs: number): Verdict {
  const { promise: result, resolve, reject } = Promise.withResolvers<void>();
  result.catch(() => {}); // It may reject before anybody waits for it.
  const ready = new Set<number>(), complaints = new Map<number, Abort & { readonly by: number }>();
  let timer: ReturnType<typeof setTimeout> | undefined, over = false;
  const silent = () =>
    Array.from({ length: size - 1 }, (_, i) => i + 1).filter((rank) => !ready.has(rank) && !complaints.has(rank));

  /**
   * A rank that another one complains of, and that has said nothing itself, is to blame. Where two ranks complain of each
   * other, both live, and do not reach each other: then the higher rank is believed, because it connects to the lower one and
   * knows the address.
   */
  function blame(): TransportError {
    const all = [...complaints.values()].sort((a, b) => b.by - a.by);
    const dumb = silent();
    return abortError(all.find(({ rank }) => dumb.includes(rank)) ?? all[0]!);
  }

  function decide(error: TransportError): void {
    clearTimeout(timer);
    reject(error);
  }

  return {
    result,
    [Symbol.dispose]() {
      over = true;
      clearTimeout(timer);
    },
    heard(rank, where, said) {
      if (over) return;
      if (said.wrong !== undefined) {
        if (complaints.has(rank)) return;
        decide(new TransportError(`Cannot connect: rank ${rank} at ${where} ${said.wrong}`, { rank }));
      } else if (said.kind === kinds.ready) {
        ready.add(rank);
        if (ready.size === size - 1) resolve();
      } else if (said.kind === kinds.abort) {
        complaints.set(rank, { ...readAbort(said.value, rank), by: rank });
        if (silent().length === 0) decide(blame());
        else timer ??= setTimeout(() => decide(blame()), patienceMs);
      } else {
        const what = `sent a packet of kind ${said.kind} instead of ${kinds.ready}`;
        decide(new TransportError(`Cannot connect: rank ${rank} at ${where} ${what}`, { rank }));
      }
    },
    late(limit) {
      if (complaints.size > 0) return blame();
      const [first, ...others] = silent(),
        names = others.length === 0 ? `rank ${first}` : `ranks ${[first, ...others].join(", ")}`;
      return new TransportError(
        `Cannot connect: ${names} did not say ready within ${limit}; connectTimeout raises the limit`,
        { rank: first },
      );
    },
  };
}
