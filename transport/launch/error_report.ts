/** What Deno prints of the error that ends a process: kept from what the process prints, for the launcher to say. @module */

import { joined, type Keep } from "./output.ts";

/** A report is what a process prints last: something that is followed by nothing for this long is none. */
const vainMs = 1000;
/** A report that is longer than this is printed as it is. */
const longest = 1 << 18;
// deno-lint-ignore no-control-regex -- colours
const colours = /\x1b\[[\d;]*m/g, begin = /^(?:\x1b\[[\d;]*m)*error(?:\x1b\[[\d;]*m)*: (?:Uncaught)?/gm;

const nothing = new Uint8Array(0);

/** An error that ended a process. */
export interface Report {
  /** Such as "RangeError: out of range". */
  readonly said: string;
  /** An error with this message, and the stack that was printed. */
  readonly error: Error;
  /** Where it is, or was caused by, a TransportError: the rank that this names, or -1. */
  readonly lost?: number;
}

/**
 * The rank that the words of a TransportError blame, as its `rank` does, which Deno does not print; -1 if they name none. It
 * is the first that they name, but for the one that only says so: "rank 0 gave up: … rank 1 has heard nothing from rank 2".
 */
function lostIn(words: string): number {
  const says = /\brank (\d+) (?:gave up: |turned this rank away: |has heard nothing from (?=rank))/g;
  const [, rank] = /\branks? (\d+)/.exec(words.replace(says, "")) ?? says.exec(words) ?? [];
  return rank === undefined ? -1 : Number(rank);
}

/** Keeps the report of one process. */
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
  /** Where a report begins: the last one that says so plainly, else the first that may be one, unless one has begun. */
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
      // What was kept before it was none.
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
