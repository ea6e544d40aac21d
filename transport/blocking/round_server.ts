/** The comm worker's side of a mailbox. @module */

import type { Reserve } from "../collective/channel.ts";
import { close, ended, type Mailbox, offsets, status, word } from "./mailbox.ts";
import type { WorkerMessage } from "./messages.ts";
import { messagesOf, opNumbered, opOf } from "../ops.ts";
import type { Collective, WireRound } from "../round.ts";
import { TransportError } from "../transport.ts";

/** How often the worker lets its caller know that it lives, in milliseconds. */
const pulseMs = 500;

/** A group to serve. */
interface Served {
  readonly group: Collective;
  /** Performs a round with the replies in reserved memory. Without it replies of the group are copied there. */
  readonly exchange?: Collective["perform"];
}

/** Performs the rounds of a mailbox on a group, one at a time, until it is asked to close. */
export class RoundServer {
  readonly #mailbox: Mailbox;
  readonly #group: Collective;
  readonly #exchange: Collective["perform"];
  #request: Uint8Array = new Uint8Array(0);
  /** How many memories for requests have arrived. */
  #memories = 0;
  #reply: Uint8Array = new Uint8Array(0);
  /** Called when new memory has arrived. */
  #arrived: () => void = () => {};

  /** @param serve the group, given what reserves memory for its replies */
  constructor(mailbox: Mailbox, serve: (reserve: Reserve) => Served) {
    this.#mailbox = mailbox;
    const { group, exchange } = serve((byteLength) => this.#reserve(byteLength));
    this.#group = group;
    this.#exchange = exchange ?? ((round) => this.#performAndCopy(round));
  }

  /** Takes new memory. */
  take(message: Extract<WorkerMessage, { request: unknown } | { reply: unknown }>): void {
    if ("request" in message) {
      this.#request = new Uint8Array(message.request);
      this.#memories++;
    } else this.#reply = new Uint8Array(message.reply);
    this.#arrived();
  }

  /** Ends the group at once, also in the middle of a round. */
  async abort({ rank, message }: { readonly rank: number; readonly message: string }): Promise<void> {
    await this.#group.abort?.(new TransportError(message, { rank }));
    await this.#end();
  }

  /** Performs rounds until the group has been closed, or has failed and its peers have been told. */
  async serve(): Promise<void> {
    const { words } = this.#mailbox;
    // Whether the peers live is for the group to say; the caller only has to know that this thread does.
    const pulse = setInterval(() => Atomics.add(words, word.pulse, 1), pulseMs);
    try {
      // As the word itself, the count of requests wraps around. Before the first request it is that of the answers.
      for (let served = Atomics.load(words, word.answered);; served = served + 1 | 0) {
        while (Atomics.load(words, word.asked) === served) {
          const asked = Atomics.waitAsync(words, word.asked, served); // not `wait`, which would stop the connections
          if (asked.async) await asked.value;
        }
        if (words[word.op] === close) {
          await this.#group[Symbol.asyncDispose]();
          return this.#answer(status.done);
        }
        await this.#perform();
        this.#answer(status.done);
      }
    } catch (error) {
      this.#mailbox.fail(error);
      this.#answer(status.failed);
      await this.#end();
    } finally {
      clearInterval(pulse);
    }
  }

  async #perform(): Promise<void> {
    const { words, lengths } = this.#mailbox;
    while (this.#memories !== words[word.memories]) await this.#arrival();
    const count = words[word.count]!, starts = offsets(lengths, count);
    const messages = Array.from(
      { length: count },
      (_, i) => this.#request.subarray(starts[i]!, starts[i]! + lengths[i]!),
    );
    const round = opOf(opNumbered(words[word.op]!)!).round(messages, words[word.root]!);
    const replies = await this.#exchange(round);
    replies.forEach(({ byteLength }, i) => lengths[i] = byteLength);
    words[word.count] = replies.length;
  }

  async #performAndCopy(round: WireRound): Promise<readonly Uint8Array[]> {
    const replies = await this.#group.perform(round),
      all = opOf(round.op).reply === "sum" ? messagesOf(round) : replies;
    const starts = offsets(all.map(({ byteLength }) => byteLength), all.length);
    const memory = await this.#reserve(starts.at(-1)!);
    return all.map((reply, i) => {
      const place = memory.subarray(starts[i]!, starts[i]! + reply.byteLength);
      place.set(reply);
      return place;
    });
  }

  /** Memory for replies. The caller is asked for more where there is too little. */
  async #reserve(byteLength: number): Promise<Uint8Array> {
    if (byteLength > this.#reply.byteLength) {
      this.#mailbox.words[word.count] = Math.ceil(byteLength / 4096);
      this.#answer(status.grow);
      while (byteLength > this.#reply.byteLength) await this.#arrival();
    }
    return this.#reply.subarray(0, byteLength);
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => this.#arrived = resolve);
  }

  #answer(answer: number): void {
    const { words, traffic } = this.#mailbox, { rounds, encodedBytes, sentBytes, receivedBytes } = this.#group.traffic;
    traffic.set([rounds, encodedBytes, sentBytes, receivedBytes]);
    words[word.status] = answer;
    Atomics.add(words, word.answered, 1);
    Atomics.notify(words, word.answered);
  }

  async #end(): Promise<void> {
    this.#mailbox.end(ended.told);
    await this.#group[Symbol.asyncDispose]();
    this.#mailbox.end(ended.closed);
  }
}
