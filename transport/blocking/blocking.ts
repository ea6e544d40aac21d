import { checkRound } from "../ops.ts";
import { alone } from "../alone.ts";
import {
  type Abort,
  ANSWERED,
  ASKED,
  asks,
  CLOSED,
  Control,
  COUNT,
  FAILED,
  GROW,
  type Growth,
  MEMORY,
  offsets,
  OP,
  PULSE,
  roomFor,
  ROOT,
  STATUS,
  TOLD,
} from "./mailbox.ts";
import { requireBlocking } from "../shared_memory/require_blocking.ts";
import type { BlockingCollective, Traffic, WireRound } from "../round.ts";
import { checkTcpOptions, type TcpOptions } from "../tcp/tcp_options.ts";
import { lossOf, TransportError } from "../transport.ts";

/** What a comm worker is told when it starts. */
export interface Start {
  readonly options: TcpOptions;
  readonly control: SharedArrayBuffer;
}

/** What a comm worker says when it has connected, or why it has not. */
export type Started = { readonly connected: true } | {
  readonly name: string;
  readonly message: string;
  readonly rank?: number;
};

const graceMs = 2000;
/** The worker, which knows how long to wait for whom, is itself waited for while it shows that it lives. */
const patienceMs = 30_000;
const nothing: readonly Uint8Array[] = [];

/**
 * A group over TCP whose rounds block: what `model.fit` needs. A comm worker, a thread of its own, owns the connections
 * and performs the rounds; it goes on sending heartbeats while this thread computes.
 *
 * The replies are views of memory that is shared with the worker and valid until the next round. The memory is reused:
 * no round allocates in proportion to its messages once the longest have been seen. A failed round leaves the vector as
 * it was and ends the group: each rank throws an error that names the rank to blame.
 *
 * Dispose of the group when done (`using`): until then, or until it fails, the worker keeps the process alive, and a rank
 * that ends without it is taken for a lost one. The worker inherits this thread's permissions and needs `--allow-net` for
 * the addresses of the ranks, and `--allow-read` where the library lies in files.
 *
 * @returns the group, when all ranks are connected; disposing of it ends the worker
 * @throws {TransportError} if the ranks cannot be connected: see {@link tcp}
 * @throws {TypeError} on the main thread of a page, which must not block
 * @throws {RangeError | TypeError} if an option is out of range or unknown
 * @example
 * ```ts
 * import { tcpBlocking } from "@gradwire/tfjs/transport";
 * // In a script that is started `size` times: with RANK=0, RANK=1, …
 * using group = await tcpBlocking({ rank: 0, size: 1, host: "127.0.0.1", port: 28472 });
 * const vector = Float32Array.of(1, 2, 3);
 * group.perform({ op: "allReduce", vector });   // now the sum over all ranks
 * ```
 */
export async function tcpBlocking(options: TcpOptions): Promise<BlockingCollective> {
  requireBlocking();
  checkTcpOptions(options);
  if (options.size === 1) return alone();
  const worker = new Worker(new URL("./comm_worker.ts", import.meta.url), { type: "module", name: "gradwire" });
  const control = new Control(Control.allocate(options.size), options.size);
  try {
    const { host, port, rank, size } = options;
    const started = await new Promise<Started>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Started>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new TransportError(`Cannot connect rank ${rank} of ${size} to ${host}:${port}: ${event.message}`));
      };
      worker.postMessage({ options, control: control.buffer } satisfies Start);
    });
    if ("message" in started) {
      const { name, message, rank } = started;
      throw name === "TransportError"
        ? new TransportError(message, { rank })
        : Object.assign(new Error(message), { name });
    }
  } catch (error) {
    worker.terminate();
    throw error;
  }
  release(worker);
  return new Blocking(options, worker, control);
}

/**
 * Lets the process end although the worker runs: a script that does not dispose of its group is not to hang at its end.
 * Deno (2.9) has that switch for its node:worker_threads, under the one symbol without a name; elsewhere nothing is done.
 */
function release(worker: Worker): void {
  const hold = Object.getOwnPropertySymbols(Worker.prototype).find(({ description }) => !description);
  const held = hold && (worker as unknown as Record<symbol, unknown>)[hold];
  if (typeof held === "function") held.call(worker, false);
}

class Blocking implements BlockingCollective {
  readonly rank: number;
  readonly size: number;
  readonly traffic: Traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  readonly #worker: Worker;
  readonly #control: Control;
  readonly #maxMessageBytes: number;
  #request: Uint8Array = new Uint8Array(0);
  #reply: Uint8Array = new Uint8Array(0);
  #failure: Error | undefined;
  /** Whether a round is under way that has not been waited for. */
  #started = false;
  #disposed = false;
  /** Whether the worker may still be expected to answer. */
  #live = true;
  /** A thread that ends takes leave. */
  readonly #leave = () => this[Symbol.dispose]();

  constructor(
    { rank, size, maxMessageBytes = 2 ** 30 }: TcpOptions,
    worker: Worker,
    control: Control,
  ) {
    this.rank = rank;
    this.size = size;
    this.#maxMessageBytes = maxMessageBytes;
    this.#worker = worker;
    this.#control = control;
    globalThis.addEventListener("unload", this.#leave);
    // What escapes the worker's own care: the round that waits, or the next one, runs into its deadline.
    worker.onerror = (event) => {
      event.preventDefault();
      this.#live = false;
      this.#failure ??= new TransportError(`Cannot exchange: the comm worker failed: ${event.message}`, { rank });
    };
  }

  perform(round: WireRound): readonly Uint8Array[] {
    return this.start(round)();
  }

  start(round: WireRound): () => readonly Uint8Array[] {
    if (this.#failure) throw this.#failure;
    if (this.#started) throw new Error(`Cannot perform ${round.op}: the round before has not been waited for`);
    checkRound(round, this.size, this.#maxMessageBytes);
    const { lengths, words } = this.#control;
    switch (round.op) {
      case "allGather":
        this.#pack([round.message]);
        break;
      case "allToAll":
        this.#pack(round.messages);
        break;
      case "allReduce": {
        const { buffer, byteOffset, byteLength } = round.vector;
        this.#pack([new Uint8Array(buffer, byteOffset, byteLength)]);
        break;
      }
      case "broadcast":
        words[ROOT] = round.root;
        this.#pack(round.root === this.rank ? [round.message] : nothing);
    }
    const answered = this.#ask(round.op);
    this.#started = true;
    return () => {
      this.#started = false;
      answered();
      const count = words[COUNT]!, starts = offsets(lengths, count);
      if (round.op === "allReduce") {
        round.vector.set(new Float32Array(this.#reply.buffer, 0, round.vector.length));
        return nothing;
      }
      return Array.from({ length: count }, (_, i) => this.#reply.subarray(starts[i]!, starts[i]! + lengths[i]!));
    };
  }

  abort(reason: Error): void {
    if (this.#failure) return;
    const failure = this.#failure = lossOf(reason, this.rank), { message } = failure;
    this.#worker.postMessage({ abort: { rank: failure.rank!, message } } satisfies Abort);
    this.#control.awaitEnd(TOLD, graceMs); // The caller may end the process next.
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    globalThis.removeEventListener("unload", this.#leave);
    const { rank } = this;
    if (this.#failure) {
      // The worker ends by itself. It is given the time to close the connections in good order: one that is closed while
      // bytes lie unread takes back what was last sent, and with it the peers' knowledge of whom to blame.
      if (this.#live) this.#control.awaitEnd(CLOSED, 2 * graceMs);
    } else {
      this.#failure = new TransportError(`Cannot perform a round: rank ${rank} has left the group`, { rank });
      try {
        this.#ask("close", 2 * graceMs)();
      } catch {
        // A worker that does not answer is ended all the same.
      }
    }
    this.#worker.terminate();
  }

  /** Writes the messages and their lengths where the worker finds them. */
  #pack(messages: readonly Uint8Array[]): void {
    const { lengths, words } = this.#control;
    messages.forEach(({ byteLength }, i) => lengths[i] = byteLength);
    words[COUNT] = messages.length;
    const starts = offsets(lengths, messages.length), end = starts.at(-1)!;
    if (end > this.#request.byteLength) {
      const request = new SharedArrayBuffer(roomFor(end));
      this.#request = new Uint8Array(request);
      words[MEMORY]!++;
      this.#worker.postMessage({ request } satisfies Growth);
    }
    messages.forEach((message, i) => this.#request.set(message, starts[i]));
  }

  /** Stores the next ticket; returns the function that waits for the answer. */
  #ask(what: typeof asks[number], patience: number = patienceMs): () => void {
    const { words } = this.#control, answered = Atomics.load(words, ANSWERED);
    words[OP] = asks.indexOf(what);
    Atomics.add(words, ASKED, 1);
    Atomics.notify(words, ASKED);
    return () => this.#settle(what, answered, patience);
  }

  #settle(what: typeof asks[number], answered: number, patience: number): void {
    const { words } = this.#control;
    for (;;) {
      this.#await(answered, what, patience);
      answered = Atomics.load(words, ANSWERED);
      const status = words[STATUS]!;
      if (status === GROW) {
        const reply = new SharedArrayBuffer(roomFor(4096 * words[COUNT]!));
        this.#reply = new Uint8Array(reply);
        this.#worker.postMessage({ reply } satisfies Growth);
        continue;
      }
      [this.traffic.rounds, this.traffic.encodedBytes, this.traffic.sentBytes, this.traffic.receivedBytes] = this
        .#control.traffic as unknown as [number, number, number, number];
      if (status === FAILED) throw this.#failure ??= this.#control.failure();
      return;
    }
  }

  /** Blocks until the worker has answered, for as long as its pulse beats. */
  #await(answered: number, what: string, patience: number): void {
    const { words } = this.#control;
    let pulse = Atomics.load(words, PULSE), last = performance.now(), waited = 0;
    while (Atomics.load(words, ANSWERED) === answered) {
      const now = performance.now(), beat = Atomics.load(words, PULSE);
      // A process that was stopped for a while, or a machine that slept, has not waited meanwhile.
      waited = beat === pulse ? waited + Math.min(now - last, 2000) : 0;
      pulse = beat;
      last = now;
      if (waited >= patience) {
        this.#live = false;
        throw this.#failure ??= new TransportError(
          `Cannot finish ${what}: the comm worker has shown no sign of life for ${patience / 1000} s`,
          { rank: this.rank },
        );
      }
      Atomics.wait(words, ANSWERED, answered, Math.min(patience - waited, 1000));
    }
  }
}
