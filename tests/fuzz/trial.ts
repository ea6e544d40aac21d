/** Runs the cases of one area, one after the other. @module */

import { fold, type Key, key } from "../../random.ts";
import type { Area, Try } from "./area.ts";
import { Draw } from "./draw.ts";

/** What came of some cases. */
export interface Tally {
  cases: number;
  accepted: number;
  refused: number;
  readonly failures: Failure[];
}

/** A case that did what none may do. */
export interface Failure {
  readonly area: string;
  /** The number of the case, which with the seed makes it again. */
  readonly at: number;
  /** What went wrong. */
  readonly why: string;
  /** What was tried. */
  readonly input: string;
}

/** A case must end within this time, in milliseconds: most take microseconds, but machines stand still at times. */
const LONGEST = 10_000;
/** So much more memory after a batch than before it is no chance, in bytes. */
const MEMORY = 2 ** 29;
/** Cases between looks at memory and prototypes. */
const BATCH = 256;

/** The names of all properties of the prototypes that everything inherits from. */
function inherited(): string {
  return [Object.prototype, Array.prototype, Function.prototype, String.prototype].map((prototype) =>
    Reflect.ownKeys(prototype).map(String).join()
  ).join();
}

/** The cases of an area under a seed. */
export class Trial {
  readonly tally: Tally = { cases: 0, accepted: 0, refused: 0, failures: [] };
  readonly #area: Area;
  readonly #key: Key;
  readonly #draw = new Draw();
  readonly #prototypes = inherited();
  readonly #tell: (input: string) => void;
  #try: Try | undefined;
  #single = false;

  /** @param tell is told what is tried, before it is: of a case that hangs nothing else is learnt */
  constructor(area: Area, seed: number, tell: (input: string) => void = () => {}) {
    this.#tell = tell;
    this.#area = area;
    this.#key = [...area.name].reduce((whole, letter) => fold(whole, letter.charCodeAt(0)), key(seed));
  }

  /** Tries cases from..to, or fewer where `enough` says so after a batch; tells `begin` of each before it. */
  async run(from: number, to: number, begin: (at: number) => void, enough: () => boolean): Promise<number> {
    this.#try ??= await this.#area.prepare();
    let at = from;
    this.#single = to - from === 1;
    while (at < to && !enough()) {
      const end = Math.min(to, at + BATCH), first = at, before = held();
      for (; at < end; at++) {
        begin(at);
        const tried = this.one(at);
        if (tried instanceof Promise) await tried;
      }
      const more = held() - before;
      if (more > MEMORY) {
        this.#fail(first, `the memory grew by ${Math.round(more / 2 ** 20)} MiB in ${BATCH} cases`, "");
      }
      if (inherited() !== this.#prototypes) this.#fail(first, `a prototype was changed in ${BATCH} cases`, "");
    }
    return at;
  }

  /** Tries one case. */
  one(at: number): void | Promise<void> {
    let input: unknown;
    const start = performance.now(),
      note = (what: unknown) => {
        input = what;
        if (this.#single) this.#tell(textOf(what));
      };
    const end = (accepted: boolean) => {
      this.tally.cases++;
      if (accepted) this.tally.accepted++;
      else this.tally.refused++;
      const took = performance.now() - start;
      if (took > LONGEST) this.#fail(at, `it took ${Math.round(took)} ms`, input);
    };
    const failed = (error: unknown) => {
      this.tally.cases++;
      const where = error instanceof Error
        ? error.stack?.split("\n").slice(1, 4).map((line) => line.trim()).join(" ")
        : "";
      this.#fail(at, `${error} ${where}`, input);
    };
    try {
      this.#draw.reset(fold(this.#key, at));
      const accepted = this.#try!(this.#draw, note);
      if (typeof accepted !== "boolean") return accepted.then(end, failed);
      end(accepted);
    } catch (error) {
      failed(error);
    }
  }

  #fail(at: number, why: string, input: unknown): void {
    const text = textOf(input);
    // Kinds of faults, not all their instances.
    const { failures } = this.tally, alike = failures.filter((failure) => failure.why === why).length;
    if (failures.length < 30 && alike < 3) failures.push({ area: this.#area.name, at, why, input: text });
  }
}

/** What was tried, as text. */
function textOf(input: unknown): string {
  if (typeof input === "string") return input;
  return Deno.inspect(shown(input), { depth: 5, iterableLimit: 400, strAbbreviateSize: 3000 });
}

/** Bytes as hexadecimal digits. */
function shown(input: unknown): unknown {
  if (input instanceof Uint8Array) return `0x${input.toHex()}`;
  if (typeof input !== "object" || input === null || Array.isArray(input)) return input;
  if (Object.getPrototypeOf(input) !== Object.prototype) return input;
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, shown(value)]));
}

/** Bytes of memory that JavaScript holds. */
function held(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
