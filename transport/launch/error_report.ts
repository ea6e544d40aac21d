/**
 * Takes Deno's report of the error that ends a process out of what the process prints, so that the launcher says it once.
 *
 * @module
 */

import { joined, type Keep } from "./output.ts";

/** A process prints its report last. When it still runs so many milliseconds later, what it has printed was no report. */
const vainMs = 1000;
/** The longest report that is kept back, in bytes. */
const longest = 1 << 18;
// deno-lint-ignore no-control-regex -- colours
const colours = /\x1b\[[\d;]*m/g, begin = /^(?:\x1b\[[\d;]*m)*error(?:\x1b\[[\d;]*m)*: (?:Uncaught)?/gm;

const nothing = new Uint8Array(0);

/** An error that ended a process. */
interface Report {
  /** The error in a line, such as "RangeError: out of range". */
  readonly said: string;
  /** An error with this message, and the stack that was printed. */
  readonly error: Error;
  /** The rank that a TransportError names, be it the error or a cause of it; -1 if it names none. */
  readonly lost?: number;
}

/**
 * The rank that the message of a TransportError blames; -1 if it names none. (The error's `rank` is not printed by Deno.)
 *
 * It is the first rank that the message names, except for ranks that only report it, as ranks 0 and 1 do in "rank 0 gave up: …
 * rank 1 has heard nothing from rank 2".
 */
function lostIn(words: string): number {
  const says = /\brank (\d+) (?:gave up: |turned this rank away: |has heard nothing from (?=rank))/g;
  const [, rank] = /\branks? (\d+)/.exec(words.replace(says, "")) ?? says.exec(words) ?? [];
  return rank === undefined ? -1 : Number(rank);
}

/** Keeps back the report of one process, in case the process ends after it. */
export function reportKeeper(): Keep & { report(): Report | undefined; forget(): Uint8Array } {
  const latin = new TextDecoder("latin1");
  let kept: Uint8Array[] = [], size = 0, timer: ReturnType<typeof setTimeout> | undefined, lineStart = true;
  function release(): Uint8Array {
    clearTimeout(timer);
    const bytes = joined(kept);
    kept = [];
    size = 0;
    return bytes;
  }
  /** Where a report begins: at the last line that says "Uncaught", else at the first "error:" unless a report has begun. */
  function beginning(bytes: Uint8Array): number | undefined {
    const text = latin.decode(bytes), found = [...text.matchAll(begin)].filter(({ index }) => index > 0 || lineStart);
    const plain = found.findLast(([line]) => line.includes("Uncaught")) ?? (size === 0 ? found[0] : undefined);
    return plain && plain.index;
  }
  return {
    take(bytes, later) {
      const from = beginning(bytes);
      lineStart = bytes.at(-1) === 10;
      if (from === undefined && size === 0) return bytes;
      // What was kept before it was no report.
      const out = from === undefined ? nothing : joined([release(), bytes.subarray(0, from)]);
      const rest = bytes.slice(from ?? 0);
      kept.push(rest);
      size += rest.length;
      clearTimeout(timer);
      if (size > longest) return joined([out, release()]);
      timer = setTimeout(() => later(release()), vainMs);
      return out;
    },
    end: () => (clearTimeout(timer), nothing),
    forget: release,
    report() {
      clearTimeout(timer);
      if (size === 0) return undefined;
      const bytes = release(), text = new TextDecoder().decode(bytes).replace(colours, "").trimEnd();
      const [first = "", ...rest] = text.split("\n");
      const said = first.replace(/^error: (?:Uncaught )?(?:\(in promise\) )?/, "");
      const error = Object.assign(new Error(said), { name: "Error" });
      error.stack = [said, ...rest].join("\n");
      const cause = /^(?:Caused by: )?\[?TransportError\b(.*)/m.exec(error.stack);
      return { said, error, ...(cause === null ? {} : { lost: lostIn(cause[1]!) }) };
    },
  };
}
