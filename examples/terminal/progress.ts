/** A progress bar on a terminal, plain lines elsewhere. @module */

import cliProgress from "cli-progress";

/** Shows how far something is. */
export interface Progress {
  /** `value` of the total is done; `values` fill the other fields. */
  update(value: number, values?: Readonly<Record<string, string>>): void;
  /** Ends the display. */
  stop(): void;
}

/** Widths of the bar in columns. */
const LEAST_BAR = 8, MOST_BAR = 32;

/**
 * A display of `total` units: a bar, and the parts that have room beside it.
 *
 * @param parts text with fields in braces, the most important part first. Fields are {value}, {total}, {percentage}, {eta}
 * in seconds, and those that `update` is given. On a narrow terminal whole parts are left out, the last first. Without a
 * terminal a line with all parts is printed every two seconds
 */
export function progress(total: number, parts: string | readonly string[]): Progress {
  const texts = typeof parts === "string" ? [parts] : parts, start = performance.now();
  const written = (value: number, values: Readonly<Record<string, string>>) => {
    const seconds = (performance.now() - start) / 1000;
    const known: Record<string, string> = {
      value: String(value),
      total: String(total),
      percentage: String(Math.floor(100 * value / total)),
      eta: value > 0 ? String(Math.round(seconds * (total - value) / value)) : "–",
      ...values,
    };
    return texts.map((text) => text.replace(/\{(\w+)\}/g, (field, name: string) => known[name] ?? field));
  };
  if (!Deno.stdout.isTerminal()) return lines(total, (value, values) => written(value, values).join(" | "));
  /** What cli-progress knows of a bar: its share done, and its value. */
  interface Drawn {
    readonly progress: number;
    readonly value: number;
  }
  const bar = new cliProgress.SingleBar({
    // Cursor and line wrapping are left alone: Ctrl-C would leave the terminal without them.
    hideCursor: false,
    linewrap: true,
    fps: 5,
    format: (_: unknown, { progress, value }: Drawn, values: Readonly<Record<string, string>>) =>
      lineOf(progress, written(value, values), Deno.consoleSize().columns),
  });
  let started = false;
  return {
    update(value, values = {}): void {
      if (!started) bar.start(total, value, values);
      started = true;
      bar.update(value, values);
    },
    stop: () => bar.stop(),
  };
}

/** A bar and the first of the parts, as many as fit: the line stays one column short of the width, or it would wrap. */
export function lineOf(done: number, parts: readonly string[], columns: number): string {
  const room = columns - 1 - LEAST_BAR;
  let text = "";
  for (const part of parts) {
    const longer = text === "" ? ` ${part}` : `${text} | ${part}`;
    if (longer.length > room) break;
    text = longer;
  }
  // Where not even one part fits, its beginning is better than nothing.
  if (text === "" && parts.length > 0) text = ` ${parts[0]}`.slice(0, Math.max(0, room));
  const width = Math.max(0, Math.min(MOST_BAR, columns - 1 - text.length)), full = Math.round(width * done);
  return "█".repeat(full) + "░".repeat(width - full) + text;
}

/** A line every two seconds, and one at the end. */
function lines(
  total: number,
  written: (value: number, values: Readonly<Record<string, string>>) => string,
): Progress {
  let next = performance.now();
  return {
    update(value, values = {}): void {
      const now = performance.now();
      if (now < next && value < total) return;
      next = now + 2000;
      console.log(written(value, values));
    },
    stop(): void {},
  };
}
