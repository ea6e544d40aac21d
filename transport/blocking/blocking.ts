import { checkCloneable } from "./check_cloneable.ts";
import { checkDeadlines, type Deadlines, deadlines } from "../deadlines.ts";
import { close, ended, Mailbox, offsets, roomFor, status, word } from "./mailbox.ts";
import type { CollectiveOptions } from "../collective/collective.ts";
import type { ConnectReply, ConnectRequest, WorkerMessage } from "./messages.ts";
import { checkInteger, checkOptions, show } from "../../options.ts";
import { checkRound, opOf, rootOf, sentMessages } from "../ops.ts";
import { releaseWorker } from "./release_worker.ts";
import { requireBlocking } from "../shared_memory/require_blocking.ts";
import type { BlockingCollective, Traffic, WireRound } from "../round.ts";
import { lossOf, TransportError } from "../transport.ts";

/** Options of {@link blocking}. Deadlines and `maxMessageBytes` are the group's, where a transport is connected. */
export interface BlockingOptions extends CollectiveOptions, Deadlines {
  /** The URL of a module that exports a function that connects this rank with the others. */
  readonly module: string | URL;
  /**
   * The name of that function. It is called with `options`, in a thread of its own, and returns a transport or a group,
   * or a promise of one. Default "connect".
   */
  readonly connect?: string;
  /** What the function is called with: a copy of this, as `structuredClone` makes it. */
  readonly options?: unknown;
  /** How error messages call what is connected. Default: the module's URL. */
  readonly name?: string;
}

/** How long the peers may take to be told of an end, or connections to be closed, in milliseconds. */
const graceMs = 2000;
/** How long the worker may give no sign of life, in milliseconds. How long it waits for ranks is its own matter. */
const patienceMs = 30_000;
/** How long the worker may take to start, besides the time it takes to connect, in milliseconds. */
const startMs = 60_000;
const none: readonly Uint8Array[] = [];

/**
 * Makes a group whose rounds block, as `model.fit` needs, over any transport.
 *
 * A comm worker, a thread of its own, imports a module, connects by a function of it and performs the rounds. It goes
 * on while this thread computes, so that a transport can send heartbeats. The worker has this thread's permissions.
 *
 * The replies are views of memory that is shared with the worker, valid until the next round. The memory is reused:
 * once the longest messages have been seen, no round allocates in proportion to its messages. A failed round leaves the
 * vector as it was and ends the group.
 *
 * Dispose of the group when done (`using`): until then, or until it fails, the other ranks take a rank that ends for a
 * lost one.
 *
 * @param options the module, what its function is called with, and the group's deadlines
 * @returns the group, once the function has connected it. Disposing of the group ends the worker
 * @throws {TransportError} if the ranks do not find one another, or the worker does not start
 * @throws {TypeError} on the main thread of a page, which must not block; if `options` cannot be copied to a worker; or
 *   if the module has no such function or it connects nothing
 * @throws {RangeError | TypeError} if an option is out of range or unknown
 * @example
 * ```ts
 * import { blocking } from "@gradwire/tfjs/transport";
 * // Two lines of a module of one's own: one rank alone.
 * const module = `data:text/javascript,export const connect = ({ rank, size }) => ({
 *   rank, size, send() {}, receive() {}, async [Symbol.asyncDispose]() {} });`;
 * using group = await blocking({ module, options: { rank: 0, size: 1 } });
 * const vector = Float32Array.of(1, 2, 3);
 * group.perform({ op: "allReduce", vector });   // now the sum over all ranks
 * ```
 */
export async function blocking(options: BlockingOptions): Promise<BlockingCollective> {
  requireBlocking();
  const { request, limits } = checked(options), { timeout = patienceMs, connectTimeout = timeout } = options;
  const worker = new Worker(new URL("./comm_worker.ts", import.meta.url), { type: "module", name: "gradwire" });
  try {
    const place = await connected(worker, request, connectTimeout + startMs), { size } = place;
    const mailbox = new Mailbox(Mailbox.allocate(size), size);
    worker.postMessage({ mailbox: mailbox.buffer } satisfies WorkerMessage);
    releaseWorker(worker);
    return new BlockingGroup(place, limits.maxMessageBytes, worker, mailbox);
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/** What the worker is asked, from options that are as they should be. */
function checked(options: BlockingOptions): {
  readonly request: ConnectRequest;
  readonly limits: { readonly maxMessageBytes: number };
} {
  const doing = "make a blocking group";
  checkOptions(doing, options, ["module", "connect", "options", "name", ...deadlines, "maxMessageBytes"]);
  const { module, connect = "connect", name = String(module), maxMessageBytes = 2 ** 30, timeout, roundTimeout } =
    options;
  for (const [what, value] of Object.entries({ connect, name })) {
    if (typeof value !== "string") throw new TypeError(`Cannot ${doing}: ${what} is ${show(value)}, expected a string`);
  }
  if (!URL.canParse(String(module))) {
    throw new TypeError(
      `Cannot ${doing}: module is ${
        show(module)
      }, expected an absolute URL such as import.meta.resolve("./transport.ts")`,
    );
  }
  checkInteger(doing, "maxMessageBytes", maxMessageBytes, 1, 2 ** 32 - 1);
  checkDeadlines(doing, options);
  checkCloneable(doing, "options", options.options);
  const group = {
    maxMessageBytes,
    ...(timeout === undefined ? {} : { timeout }),
    ...(roundTimeout === undefined ? {} : { roundTimeout }),
  };
  return { request: { module: String(module), connect, options: options.options, name, group }, limits: group };
}

/** What the worker says of the rank that it has connected. */
type Connected = Exclude<ConnectReply, { readonly message: string }>;

/** Starts the worker and waits until it has connected. */
async function connected(
  worker: Worker,
  request: ConnectRequest,
  ms: number,
): Promise<Connected> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const failed = (why: string) => new TransportError(`Cannot connect ${request.name}: ${why}`);
  try {
    const reply = await new Promise<ConnectReply>((resolve, reject) => {
      timer = setTimeout(
        () => reject(failed(`it took longer than ${ms / 1000} s; connectTimeout raises the limit`)),
        ms,
      );
      worker.onmessage = ({ data }: MessageEvent<ConnectReply>) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(failed(event.message));
      };
      worker.postMessage(request);
    });
    if (!("message" in reply)) return reply;
    const { name, message, blamed } = reply;
    throw name === "TransportError"
      ? new TransportError(message, { rank: blamed })
      : Object.assign(new Error(message), { name });
  } finally {
    clearTimeout(timer);
  }
}

/** The caller's side of a mailbox. */
class BlockingGroup implements BlockingCollective {
  readonly rank: number;
  readonly size: number;
  readonly uniform: boolean;
  readonly traffic: Traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  readonly #worker: Worker;
  readonly #mailbox: Mailbox;
  readonly #maxMessageBytes: number;
  #request: Uint8Array = new Uint8Array(0);
  #reply: Uint8Array = new Uint8Array(0);
  #failure: Error | undefined;
  /** Whether a round is under way that has not been waited for. */
  #started = false;
  #disposed = false;
  /** Whether the worker may still be expected to answer. */
  #live = true;
  /** A thread that ends leaves the group. */
  readonly #leave = () => this[Symbol.dispose]();

  constructor({ rank, size, uniform }: Connected, maxMessageBytes: number, worker: Worker, mailbox: Mailbox) {
    this.rank = rank;
    this.size = size;
    this.uniform = uniform;
    this.#maxMessageBytes = maxMessageBytes;
    this.#worker = worker;
    this.#mailbox = mailbox;
    globalThis.addEventListener("unload", this.#leave);
    // An error that the worker does not handle: the round that waits, or the next one, runs into its deadline.
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
    const { lengths, words } = this.#mailbox;
    words[word.root] = rootOf(round) ?? 0;
    this.#writeRequest(sentMessages(round, this.rank));
    const awaitAnswer = this.#ask(round.op, opOf(round.op).number);
    this.#started = true;
    return () => {
      this.#started = false;
      awaitAnswer();
      if (round.op === "allReduce") {
        round.vector.set(new Float32Array(this.#reply.buffer, 0, round.vector.length));
        return none;
      }
      const count = words[word.count]!, starts = offsets(lengths, count);
      return Array.from({ length: count }, (_, i) => this.#reply.subarray(starts[i]!, starts[i]! + lengths[i]!));
    };
  }

  abort(reason: Error): void {
    if (this.#failure) return;
    const failure = this.#failure = lossOf(reason, this.rank), { message } = failure;
    this.#post({ abort: { rank: failure.rank!, message } });
    this.#mailbox.awaitEnd(ended.told, graceMs); // The caller may end the process next.
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    globalThis.removeEventListener("unload", this.#leave);
    const { rank } = this;
    if (this.#failure) {
      // The worker ends by itself. It is given the time to close the connections in good order: one that is closed
      // while bytes lie unread takes back what was last sent, and with it the peers' knowledge of whom to blame.
      if (this.#live) this.#mailbox.awaitEnd(ended.closed, 2 * graceMs);
    } else {
      this.#failure = new TransportError(`Cannot perform a round: rank ${rank} has left the group`, { rank });
      try {
        this.#ask("close", close, 2 * graceMs)();
      } catch {
        // A worker that does not answer is ended all the same.
      }
    }
    this.#worker.terminate();
  }

  #post(message: WorkerMessage): void {
    this.#worker.postMessage(message);
  }

  /** Writes the messages and their lengths where the worker finds them. */
  #writeRequest(messages: readonly Uint8Array[]): void {
    const { lengths, words } = this.#mailbox;
    messages.forEach(({ byteLength }, i) => lengths[i] = byteLength);
    words[word.count] = messages.length;
    const starts = offsets(lengths, messages.length), end = starts.at(-1)!;
    if (end > this.#request.byteLength) {
      const request = new SharedArrayBuffer(roomFor(end));
      this.#request = new Uint8Array(request);
      words[word.memories]!++;
      this.#post({ request });
    }
    messages.forEach((message, i) => this.#request.set(message, starts[i]));
  }

  /** Makes a request. Returns the function that waits for its answer. */
  #ask(what: string, op: number, patience: number = patienceMs): () => void {
    const { words } = this.#mailbox, answered = Atomics.load(words, word.answered);
    words[word.op] = op;
    Atomics.add(words, word.asked, 1);
    Atomics.notify(words, word.asked);
    return () => this.#awaitAnswer(what, answered, patience);
  }

  #awaitAnswer(what: string, answered: number, patience: number): void {
    const { words, traffic } = this.#mailbox;
    for (;;) {
      this.#awaitChange(answered, what, patience);
      answered = Atomics.load(words, word.answered);
      const answer = words[word.status]!;
      if (answer === status.grow) {
        const reply = new SharedArrayBuffer(roomFor(4096 * words[word.count]!));
        this.#reply = new Uint8Array(reply);
        this.#post({ reply });
        continue;
      }
      const [rounds, encodedBytes, sentBytes, receivedBytes] = traffic as unknown as [number, number, number, number];
      Object.assign(this.traffic, { rounds, encodedBytes, sentBytes, receivedBytes });
      if (answer === status.failed) throw this.#failure ??= this.#mailbox.failure();
      return;
    }
  }

  /** Blocks until the worker has given another answer, for as long as its pulse beats. */
  #awaitChange(answered: number, what: string, patience: number): void {
    const { words } = this.#mailbox;
    let pulse = Atomics.load(words, word.pulse), last = performance.now(), waited = 0;
    while (Atomics.load(words, word.answered) === answered) {
      const now = performance.now(), beat = Atomics.load(words, word.pulse);
      // While a process was stopped, or a machine slept, it has not waited: at most 2 s count at once.
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
      Atomics.wait(words, word.answered, answered, Math.min(patience - waited, 1000));
    }
  }
}
