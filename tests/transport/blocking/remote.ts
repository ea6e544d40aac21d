/** Blocking ranks under test, seen from the thread of the test. @module */

import {
  type BlockingOptions,
  type BroadcastChannelOptions,
  type Collective,
  type TcpOptions,
  TransportError,
} from "../../../transport/mod.ts";
import type { Answer, Ask } from "./blocking_rank.ts";

/** A blocking rank in a worker of its own, seen from here as an awaited group. */
export class Remote implements Collective {
  readonly rank: number;
  readonly size: number;
  traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  readonly #worker = new Worker(new URL("./blocking_rank.ts", import.meta.url), { type: "module" });
  #answer: (answer: Answer) => void = () => {};
  #ended = false;

  constructor({ rank, size }: { readonly rank: number; readonly size: number }) {
    this.rank = rank;
    this.size = size;
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#answer(data);
  }

  static async connect(options: TcpOptions): Promise<Remote> {
    const remote = new Remote(options);
    await remote.#ask({ connect: options });
    return remote;
  }

  static async make(options: BlockingOptions, rank: number, size: number): Promise<Remote> {
    const remote = new Remote({ rank, size });
    await remote.#ask({ make: options });
    return remote;
  }

  static async join(options: BroadcastChannelOptions): Promise<Remote> {
    const remote = new Remote(options);
    await remote.#ask({ join: options });
    return remote;
  }

  /** All ranks of a group. Their workers have started when they set out, so that no deadline covers a slow start. */
  static async joinAll(options: Omit<BroadcastChannelOptions, "rank">): Promise<Remote[]> {
    const { size } = options, remotes = Array.from({ length: size }, (_, rank) => new Remote({ rank, size }));
    await Promise.all(remotes.map((remote) => remote.#ask({ dispose: true }))); // of nothing yet
    await Promise.all(remotes.map((remote) => remote.#ask({ join: { ...options, rank: remote.rank } })));
    return remotes;
  }

  async perform(round: Parameters<Collective["perform"]>[0]): Promise<readonly Uint8Array[]> {
    const { replies } = await this.#ask({ round }, round.op === "allReduce" ? round.vector : undefined);
    return replies!;
  }

  async abort(reason: Error): Promise<void> {
    const named = reason instanceof TransportError ? reason.rank : undefined;
    await this.#ask({ abort: reason.message, named });
  }

  async #ask(ask: Ask, vector?: Float32Array): Promise<Answer> {
    const answer = await new Promise<Answer>((resolve) => {
      this.#answer = resolve;
      this.#worker.postMessage(ask);
    });
    if (answer.vector) vector!.set(answer.vector);
    if (answer.traffic) this.traffic = answer.traffic;
    if (!answer.error) return answer;
    const { name, message, rank } = answer.error;
    throw name === "TransportError"
      ? new TransportError(message, { rank })
      : Object.assign(new Error(message), { name });
  }

  kill(): void {
    this.#ended = true;
    this.#worker.terminate();
  }

  /** The worker stays: what it answers after its end is part of what is tested. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.#ask({ dispose: true });
  }
}
