/** Where ranks come in while they meet: it keeps out strangers, whatever they say, and however many there are. @module */

import { printable } from "./printable.ts";
import { type Abort, abortOf } from "./abort.ts";
import { type Agreed, type Hello, misfit, readHello } from "./hello.ts";
import { kinds, sleep, soon, text, Wire } from "./wire.ts";
import { TransportError } from "../transport.ts";

/** How long one who connects may take to say who it is. */
const helloMs = 10_000;
/** So many, and all ranks, may be about to say who they are; when more come, the first of them have to come again. */
const mostWaiting = 256;
/** So many of those who were turned away are kept, of each sort. */
const mostKept = 4;

/** What a door asks of the rank that it belongs to. */
export interface Host extends Agreed {
  /** Whether somebody has taken that rank. */
  taken(rank: number): boolean;
  /** A rank has come. */
  welcome(hello: Hello, wire: Wire): void;
  /** All is lost. */
  fail(error: unknown): void;
}

/** Accepts connections until it is closed. */
export class Door {
  readonly #listener: Deno.TcpListener;
  readonly #host: Host;
  readonly #stop = new AbortController();
  readonly #accepting: Promise<void>;
  /** Those that have not yet said who they are, first come first, and how to end the wait for them. */
  readonly #waiting = new Map<Wire, (why: Away) => void>();
  /** Those in hand. */
  readonly #greeting = new Set<Promise<void>>();
  /** Who was turned away: ranks that made a mistake, and strangers. */
  readonly #mistaken: string[] = [];
  readonly #strangers: string[] = [];
  #others = 0;
  /** What everybody who comes is told once all is lost. */
  #failed: Abort | undefined;
  /** Why the system gave no connection when it was last asked for one. */
  #trouble: string | undefined;

  constructor(listener: Deno.TcpListener, host: Host) {
    this.#listener = listener;
    this.#host = host;
    this.#accepting = this.#accept();
  }

  /** Who was turned away, and why: to be said when the ranks have not come. */
  get turnedAway(): string {
    const kept = [...this.#mistaken, ...this.#strangers].slice(0, mostKept);
    const others = this.#mistaken.length + this.#strangers.length + this.#others - kept.length;
    const away = kept.length === 0 ? "" : `; turned away: ${kept.join("; ")}`;
    const more = others === 0 ? "" : ` and ${others} other${others === 1 ? "" : "s"}`;
    return away + more + (this.#trouble === undefined ? "" : `; connections could not be accepted: ${this.#trouble}`);
  }

  /** All is lost: whoever is about to come in is told so. */
  fail(abort: Abort): void {
    this.#failed ??= abort;
    for (const end of this.#waiting.values()) end({ wrong: abort.message });
  }

  /** Returns when the port is free again and all who waited have been told. */
  async close(): Promise<void> {
    if (!this.#stop.signal.aborted) {
      this.#stop.abort();
      this.#listener.close();
      for (const end of this.#waiting.values()) end({ wrong: "the ranks have met", again: true });
    }
    await this.#accepting;
    await Promise.all(this.#greeting);
  }

  async #accept(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let conn: Deno.TcpConn | undefined;
      try {
        conn = await this.#listener.accept();
        const greeting: Promise<void> = this.#greet(new Wire(conn)).finally(() => this.#greeting.delete(greeting));
        this.#greeting.add(greeting);
        if (this.#waiting.size > mostWaiting + this.#host.size) {
          this.#dropFirst("too many connections wait to say who they are");
        }
      } catch (error) {
        if (signal.aborted) return;
        if (conn) { // It has ended already.
          close(conn);
          continue;
        }
        // As when too many files are open: others may be closed soon.
        this.#trouble = text(error);
        this.#dropFirst(this.#trouble);
        await sleep(50, signal);
      }
    }
  }

  #dropFirst(wrong: string): void {
    const [first] = this.#waiting.values();
    first?.({ wrong, again: true });
  }

  async #greet(wire: Wire): Promise<void> {
    const timer = setTimeout(() => {
      this.#waiting.get(wire)?.({ wrong: `it has not said who it is within ${helloMs / 1000} s` });
    }, helloMs);
    const dropped = new Promise<Away>((resolve) => this.#waiting.set(wire, resolve)), saying = wire.control();
    try {
      const said = await Promise.race([
        saying.then((said) => "kind" in said ? said : { wrong: `it ${said.wrong}` }),
        dropped,
      ]);
      const away: Away | undefined = "kind" in said ? this.#judge(said, wire) : said;
      this.#waiting.delete(wire);
      if (!away) return;
      if (!away.again) this.#note(away.hello ? this.#mistaken : this.#strangers, `${wire.peer}: ${away.wrong}`);
      await tell(
        wire,
        this.#failed ?? {
          ...abortOf(new TransportError(away.wrong, { rank: away.hello?.rank }), this.#host.rank),
          away: away.again ? "later" : "for good",
        },
      );
      wire.close();
      await saying;
    } catch (error) {
      this.#host.fail(error);
      await tell(wire, abortOf(error, this.#host.rank));
      wire.close();
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(wire);
    }
  }

  /** Lets a rank in; or says why not. */
  #judge({ kind, value }: { readonly kind: number; readonly value: unknown }, wire: Wire): Away | undefined {
    if (this.#failed) return { wrong: this.#failed.message };
    const host = this.#host, hello = kind === kinds.hello ? readHello(value) : undefined;
    if (!hello) return { wrong: "it sent a message that is not ours: no hello" };
    const away = misfit(hello, host, host.taken(hello.rank));
    if (!away) {
      host.welcome(hello, wire);
      return undefined;
    }
    if (away.member) {
      throw new TransportError(`Cannot connect: ${away.wrong}, at ${wire.peer}`, { rank: hello.rank });
    }
    return { wrong: away.wrong, hello };
  }

  #note(list: string[], words: string): void {
    if (list.length < mostKept) list.push(printable(words, 300));
    else this.#others++;
  }
}

/** Why one who connected is sent away. */
interface Away {
  readonly wrong: string;
  /** Whether it may try again. */
  readonly again?: boolean;
  /** What it said, if it was a hello. */
  readonly hello?: Hello;
}

/** As well as may be: the other end may not listen. */
export async function tell(wire: Wire, abort: Abort, last = true): Promise<void> {
  const told = wire.writeJson(kinds.abort, abort);
  await soon(last ? told.then(() => wire.conn.closeWrite()) : told, 500);
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // The other end was faster.
  }
}
