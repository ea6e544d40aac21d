/** Each check of the suite of transports by itself: a transport with one fault, and what the suite says of it. */

import { assert, assertEquals } from "@std/assert/mod.js";
import { transportProperties } from "../../testing/mod.ts";
import { memory, type Transport, TransportError } from "../../transport/mod.ts";

/** Memory transports, each with what `change` makes of it. */
function faulty(change: (inner: Transport, all: readonly Transport[]) => Partial<Transport>) {
  return (size: number): Transport[] => {
    const inner = memory(size);
    return inner.map((transport) => ({ ...transport, ...change(transport, inner) }));
  };
}

const never = () => new Promise<never>(() => {});
const altered = (message: Uint8Array, at: number) => message.map((byte, i) => i === at ? byte ^ 1 : byte);

/** What is wrong, the transports, the check that fails, and what it says. */
const faults: [what: string, make: (size: number) => Transport[], check: string, says: RegExp][] = [
  ["are one too few", (size) => memory(size + 1).slice(0, size), "ranks know", /size 1, received 2/],
  ["do not know their rank", faulty(() => ({ rank: 0 })), "ranks know", /rank 1, received 0/],
  [
    "are another number than was asked for",
    (size) => memory(size).slice(0, 2),
    "ranks know",
    /3 transports, received 2/,
  ],
  [
    "alter the last byte",
    faulty(({ send }) => ({ send: (to, message) => send(to, altered(message, message.length - 1)) })),
    "messages between all pairs",
    /byte \d+ of \d+ to be \d+, received/,
  ],
  [
    "lose the last byte",
    faulty(({ send }) => ({ send: (to, message) => send(to, message.subarray(0, message.length - 1)) })),
    "messages between all pairs",
    /\d+ bytes, received \d+/,
  ],
  [
    "leave out empty messages",
    faulty(({ send }) => ({ send: async (to, message) => message.length > 0 ? await send(to, message) : undefined })),
    "an empty message is a message",
    /0 bytes, received 3/,
  ],
  [
    "cut long messages",
    faulty(({ send }) => ({ send: (to, message) => send(to, message.subarray(0, 500_000)) })),
    "a message of 1048576 bytes",
    /1048576 bytes, received 500000/,
  ],
  [
    "exchange the 4 000th and the next small message",
    faulty(({ send }) => {
      let sent = 0, kept: Uint8Array | undefined;
      return {
        async send(to, message) {
          if (++sent === 4000) return void (kept = message.slice());
          await send(to, message);
          if (kept) await send(to, kept);
          kept = undefined;
        },
      };
    }),
    "5 000 small messages",
    /bytes, received|to be/,
  ],
  [
    "answer the youngest receive first",
    faulty(({ receive }) => {
      const waiting: ((message: Uint8Array) => void)[] = [];
      return {
        receive(from) {
          receive(from).then((message) => waiting.pop()!(message), () => {});
          return new Promise((resolve) => waiting.push(resolve));
        },
      };
    }),
    "receives that were begun before the sends",
    /byte 0 of 50/,
  ],
  [
    "read what they send after the send has resolved",
    faulty(({ send }) => ({
      send: (to, message) => (setTimeout(() => void send(to, message), 5), Promise.resolve()),
    })),
    "a message may be changed once",
    /byte 0 of 10/,
  ],
  [
    "receive into one memory for all peers",
    faulty(({ receive }) => {
      const room = new Uint8Array(2000);
      return {
        async receive(from) {
          const message = await receive(from);
          room.set(message);
          return room.subarray(0, message.length);
        },
      };
    }),
    "received bytes stay as they are",
    /byte 0 of 1000/,
  ],
  [
    "lose a long message when they leave at once",
    faulty((inner) => {
      const pending = new Set<ReturnType<typeof setTimeout>>();
      return {
        async send(to, message) {
          if (message.length < 100_000) return await inner.send(to, message);
          const copy = message.slice();
          const timer = setTimeout(() => (pending.delete(timer), void inner.send(to, copy)), 20);
          pending.add(timer);
        },
        [Symbol.asyncDispose]() {
          pending.forEach((timer) => clearTimeout(timer));
          return inner[Symbol.asyncDispose]();
        },
      };
    }),
    "what was sent before the sender left",
    /left the group/,
  ],
  [
    "blame the wrong rank for an end",
    faulty(({ receive }) => ({
      receive: (from) =>
        receive(from).catch(() => {
          throw new TransportError("gone", { rank: 7 });
        }),
    })),
    "what was sent before the sender left",
    /rank 0 to be named, received 7/,
  ],
  [
    "throw an error that is not a TransportError",
    faulty(({ receive }) => ({
      receive: (from) =>
        receive(from).catch(() => {
          throw new Error("gone");
        }),
    })),
    "what was sent before the sender left",
    /a TransportError, received Error: gone/,
  ],
  [
    "take messages for a rank that has left",
    faulty(({ send }) => ({ send: (to, message) => send(to, message).catch(() => {}) })),
    "what was sent before the sender left",
    /the loss of rank 0 to reject, received success/,
  ],
  [
    "leave a pending receive waiting when a peer leaves",
    faulty(({ receive }) => ({ receive: (from) => receive(from).catch(never) })),
    "leaving wakes the receives",
    /the loss of rank 1 to reject, received nothing/,
  ],
  [
    "end for all when one leaves",
    faulty((inner, all) => ({
      [Symbol.asyncDispose]: async () => {
        await inner[Symbol.asyncDispose]();
        for (const other of all) await other[Symbol.asyncDispose]();
      },
    })),
    "leaving wakes the receives",
    /left|named/,
  ],
  [
    "blame themselves in an abort",
    faulty(({ rank, abort }) => ({ abort: (reason) => abort!(new TransportError(reason.message, { rank })) })),
    "an abort, where there is one",
    /rank 2 to be named, received 1/,
  ],
  [
    "send to ranks that do not exist",
    faulty(({ send, size }) => ({
      send: async (to, message) => 0 <= to && to < size ? await send(to, message) : undefined,
    })),
    "a rank that does not exist",
    /send to rank -1 to reject, received success/,
  ],
  [
    "wait for ranks that do not exist",
    faulty(({ receive, size }) => ({ receive: (from) => from < size ? receive(from) : never() })),
    "a rank that does not exist",
    /receive from rank 2 to reject, received nothing/,
  ],
  [
    "cannot be disposed of twice",
    faulty((inner) => {
      let left = false;
      return {
        async [Symbol.asyncDispose]() {
          if (left) throw new Error("disposed of already");
          left = true;
          await inner[Symbol.asyncDispose]();
        },
      };
    }),
    "disposing of it twice",
    /disposed of already/,
  ],
];

const options = { longest: 1 << 20, runs: 5, patience: 2000 };

for (const [what, make, check, says] of faults) {
  Deno.test(`transportProperties says what is wrong with transports that ${what}`, async () => {
    const found = transportProperties(make, options).filter(({ name }) => name.startsWith(check));
    assertEquals(found.length, 1, check);
    const said = await Promise.resolve(found[0]!.check()).then(
      () => "nothing",
      (error) => (error.cause ?? error).message,
    );
    assert(says.test(said), `said "${said}", expected ${says}`);
  });
}
