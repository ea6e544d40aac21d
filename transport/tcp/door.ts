/** Accepts the connections of other ranks while the ranks meet, and turns strangers away, however many there are. @module */

import { printable } from "./printable.ts";
import { type Abort, abortOf } from "./abort.ts";
import { type Agreed, type Hello, misfit, readHello } from "./hello.ts";
import { kinds, sleep, soon, text, Wire } from "./wire.ts";
import { TransportError } from "../transport.ts";

/** How many milliseconds whoever connects may take to say hello. */
const helloMs = 10_000;
/** How many connections, besides one for each rank, may be without hello. When more come, the oldest must connect again. */
const mostWaiting = 256;
/** How many of those who were turned away an error names at most, of mistaken ranks and of strangers each. */
const mostKept = 4;

/** What a door asks the rank that it belongs to, and tells it. */
interface DoorOwner extends Agreed {
  /** Whether a rank of this number has come before. */
  taken(rank: number): boolean;
  /** Called when a rank has come. */
  welcome(hello: Hello, wire: Wire): void;
  /** Called when the ranks cannot meet any more. */
  fail(error: unknown): void;
}

/** Accepts connections to a listener until it is closed. */
export class Door {
  readonly #listener: Deno.TcpListener;
  readonly #owner: DoorOwner;
  readonly #stop = new AbortController();
  readonly #accepting: Promise<void>;
  /** The connections that have not said hello yet, the oldest first, and how to end the wait for each. */
  readonly #waiting = new Map<Wire, (why: TurnedAway) => void>();
  /** What is being done with each connection. */
  readonly #greeting = new Set<Promise<void>>();
  /** Which ranks were turned away because of a mistake, in words. */
  readonly #mistaken: string[] = [];
  /** Which strangers were turned away, in words. */
  readonly #strangers: string[] = [];
  /** How many more were turned away than are kept in words. */
  #others = 0;
  /** What everybody who connects is told once the ranks cannot meet any more. */
  #failed: Abort | undefined;
  /** Why the system gave no connection when it was last asked for one, if it did not. */
  #trouble: string | undefined;

  constructor(listener: Deno.TcpListener, owner: DoorOwner) {
    this.#listener = listener;
    this.#owner = owner;
    this.#accepting = this.#accept();
  }

  /** Who was turned away, and why, for the error that says that ranks have not come. */
  get turnedAway(): string {
    const kept = [...this.#mistaken, ...this.#strangers].slice(0, mostKept);
    const others = this.#mistaken.length + this.#strangers.length + this.#others - kept.length;
    const away = kept.length === 0 ? "" : `; turned away: ${kept.join("; ")}`;
    const more = others === 0 ? "" : ` and ${others} other${others === 1 ? "" : "s"}`;
    return away + more + (this.#trouble === undefined ? "" : `; connections could not be accepted: ${this.#trouble}`);
  }

  /** From now on whoever connects is told that the ranks cannot meet, and why. */
  fail(abort: Abort): void {
    this.#failed ??= abort;
    for (const end of this.#waiting.values()) end({ wrong: abort.message });
  }

  /** Stops accepting. Resolves when the port is free again and all who waited have been told. */
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
        if (this.#waiting.size > mostWaiting + this.#owner.size) {
          this.#dropFirst("too many connections wait to say who they are");
        }
      } catch (error) {
        if (signal.aborted) return;
        if (conn) { // The other end has closed it already.
          close(conn);
          continue;
        }
        // This happens when too many files are open, of which some may be closed soon.
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
    const dropped = new Promise<TurnedAway>((resolve) => this.#waiting.set(wire, resolve)), saying = wire.control();
    try {
      const said = await Promise.race([
        saying.then((said) => "kind" in said ? said : { wrong: `it ${said.wrong}` }),
        dropped,
      ]);
      const away: TurnedAway | undefined = "kind" in said ? this.#judge(said, wire) : said;
      this.#waiting.delete(wire);
      if (!away) return;
      if (!away.again) this.#note(away.hello ? this.#mistaken : this.#strangers, `${wire.peer}: ${away.wrong}`);
      await tell(
        wire,
        this.#failed ?? {
          ...abortOf(new TransportError(away.wrong, { rank: away.hello?.rank }), this.#owner.rank),
          away: away.again ? "later" : "for good",
        },
      );
      wire.close();
      await saying;
    } catch (error) {
      this.#owner.fail(error);
      await tell(wire, abortOf(error, this.#owner.rank));
      wire.close();
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(wire);
    }
  }

  /** Lets a rank in, or returns why it is turned away. */
  #judge({ kind, value }: { readonly kind: number; readonly value: unknown }, wire: Wire): TurnedAway | undefined {
    if (this.#failed) return { wrong: this.#failed.message };
    const owner = this.#owner, hello = kind === kinds.hello ? readHello(value) : undefined;
    if (!hello) return { wrong: "it sent a message that is not ours: no hello" };
    const away = misfit(hello, owner, owner.taken(hello.rank));
    if (!away) {
      owner.welcome(hello, wire);
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

/** Why a connection is turned away. */
interface TurnedAway {
  readonly wrong: string;
  /** Whether the other end may connect again. */
  readonly again?: boolean;
  /** The hello that came, if one came. */
  readonly hello?: Hello;
}

/** Sends an abort, and waits half a second at most, because the other end may not read. After the `last` packet it closes. */
export async function tell(wire: Wire, abort: Abort, last = true): Promise<void> {
  const told = wire.writeJson(kinds.abort, abort);
  await soon(last ? told.then(() => wire.conn.closeWrite()) : told, 500);
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // The other end has closed it before.
  }
}
