/**
 * The thread that owns the connections of a blocking group: it performs the rounds that the mailbox brings.
 *
 * @module
 */

import type { Start, Started } from "./blocking.ts";
import { type Communicator, communicator } from "../collective/collective.ts";
import {
  type Abort,
  ANSWERED,
  ASKED,
  asks,
  CLOSED,
  Control,
  COUNT,
  DONE,
  FAILED,
  GROW,
  type Growth,
  MEMORY,
  offsets,
  OP,
  PULSE,
  ROOT,
  STATUS,
  TOLD,
} from "./mailbox.ts";
import type { WireRound } from "../round.ts";
import { tcp } from "../tcp/tcp.ts";
import { type Transport, TransportError } from "../transport.ts";

/** How often the worker lets its caller know that it lives. */
const pulseMs = 500;

const scope = globalThis as unknown as {
  onmessage: (event: { data: Start | Growth | Abort }) => void;
  postMessage(message: Started): void;
  close(): void;
};

scope.onmessage = async ({ data }) => {
  const { options, control } = data as Start;
  try {
    const transport = await tcp(options);
    const office = new Office(transport, options, new Control(control, options.size));
    const aborted = new Promise<void>((resolve, reject) => {
      scope.onmessage = ({ data }) => {
        if ("abort" in data) office.abort(data.abort).then(resolve, reject);
        else office.grow(data as Growth);
      };
    });
    scope.postMessage({ connected: true });
    await Promise.race([office.serve(), aborted]);
    scope.close(); // A thread that has nothing left to do must not keep the process.
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const rank = error instanceof TransportError ? error.rank : undefined;
    scope.postMessage({ name, message, ...(rank === undefined ? {} : { rank }) });
  }
};

/** Takes rounds from the mailbox, one at a time, until it is asked to close. */
class Office {
  readonly #control: Control;
  readonly #exchanger: Communicator;
  readonly #rank: number;
  /** The ticket before the first. */
  readonly #first: number;
  #request: Uint8Array = new Uint8Array(0);
  #requests = 0;
  #reply: Uint8Array = new Uint8Array(0);
  /** Called when new memory has arrived. */
  #grown: () => void = () => {};

  constructor(transport: Transport, options: Start["options"], control: Control) {
    this.#rank = transport.rank;
    this.#control = control;
    this.#first = Atomics.load(control.words, ANSWERED);
    this.#exchanger = communicator(transport, options, {
      reserve: (byteLength) => this.#reserve(byteLength),
    });
    // Whether the peers live is for the exchanger to say; the caller only has to know that this thread does.
    setInterval(() => Atomics.add(control.words, PULSE, 1), pulseMs);
  }

  grow({ request, reply }: Growth): void {
    if (request) {
      this.#request = new Uint8Array(request);
      this.#requests++;
    }
    if (reply) this.#reply = new Uint8Array(reply);
    this.#grown();
  }

  /** Ends the group at once, also in the middle of a round. */
  async abort({ rank, message }: Abort["abort"]): Promise<void> {
    await this.#exchanger.abort!(new TransportError(message, { rank }));
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#control.end(TOLD);
    await this.#exchanger[Symbol.asyncDispose]();
    this.#control.end(CLOSED);
  }

  /** Ends with the group: when it is closed, or has failed and its peers have been told. */
  async serve(): Promise<void> {
    const { words } = this.#control;
    for (let ticket = this.#first;; ticket = ticket + 1 | 0) { // as the word itself wraps around
      while (Atomics.load(words, ASKED) === ticket) {
        // Not `wait`: the sockets go on while nothing is asked.
        const asked = Atomics.waitAsync(words, ASKED, ticket);
        if (asked.async) await asked.value;
      }
      const op = asks[words[OP]!]!;
      if (op === "close") {
        await this.#exchanger[Symbol.asyncDispose]();
        return this.#answer(DONE);
      }
      try {
        await this.#perform(op);
        this.#answer(DONE);
      } catch (error) {
        this.#control.fail(error);
        this.#answer(FAILED);
        return await this.#end();
      }
    }
  }

  async #perform(op: WireRound["op"]): Promise<void> {
    const { words, lengths } = this.#control;
    while (this.#requests !== words[MEMORY]) await new Promise<void>((resolve) => this.#grown = resolve);
    const count = words[COUNT]!, starts = offsets(lengths, count);
    const messages = Array.from(
      { length: count },
      (_, i) => this.#request.subarray(starts[i]!, starts[i]! + lengths[i]!),
    );
    const replies = await this.#exchanger.exchange(this.#round(op, messages));
    replies.forEach(({ byteLength }, i) => lengths[i] = byteLength);
    words[COUNT] = replies.length;
  }

  #round(op: WireRound["op"], messages: readonly Uint8Array[]): WireRound {
    const message = messages[0] ?? new Uint8Array(0);
    switch (op) {
      case "allGather":
        return { op, message };
      case "allToAll":
        return { op, messages };
      case "allReduce":
        return { op, vector: new Float32Array(message.buffer, message.byteOffset, message.byteLength / 4) };
      case "broadcast":
        return { op, root: this.#control.words[ROOT]!, message };
    }
  }

  /** Room for the replies, where the caller reads them. */
  async #reserve(byteLength: number): Promise<Uint8Array> {
    const { words } = this.#control;
    if (byteLength > this.#reply.byteLength) {
      words[COUNT] = Math.ceil(byteLength / 4096);
      this.#answer(GROW);
      while (byteLength > this.#reply.byteLength) await new Promise<void>((resolve) => this.#grown = resolve);
    }
    return this.#reply.subarray(0, byteLength);
  }

  #answer(status: number): void {
    const { words, traffic } = this.#control,
      { rounds, encodedBytes, sentBytes, receivedBytes } = this.#exchanger.traffic;
    traffic.set([rounds, encodedBytes, sentBytes, receivedBytes]);
    words[STATUS] = status;
    Atomics.add(words, ANSWERED, 1);
    Atomics.notify(words, ANSWERED);
  }
}
