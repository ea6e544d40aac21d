/** A progress bar on a terminal, plain lines elsewhere. @module */

import cliProgress from "cli-progress";

/** Shows how far something is. */
export interface Progress {
  /** `value` of the total is done; `values` fill the format's other fields. */
  update(value: number, values?: Readonly<Record<string, string>>): void;
  /** Ends the display. */
  stop(): void;
}

/**
 * A display of `total` units. The format names its fields in braces: {value}, {total}, {percentage}, {eta} in seconds,
 * and those that `update` is given; a bar stands before it. Without a terminal a line is printed every two seconds.
 */
export function progress(total: number, format: string): Progress {
  if (Deno.stdout.isTerminal()) {
    // Cursor and line wrapping are left alone: Ctrl-C would leave the terminal without them. Lines are cut to its width.
    const barsize = Math.max(8, Math.min(32, Deno.consoleSize().columns - 72));
    const look = { hideCursor: false, linewrap: true, barsize, fps: 5 };
    const bar = new cliProgress.SingleBar({ format: `{bar} ${format}`, ...look });
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
  const start = performance.now();
  let next = start;
  return {
    update(value, values = {}): void {
      const now = performance.now();
      if (now < next && value < total) return;
      next = now + 2000;
      const known: Record<string, string> = {
        value: String(value),
        total: String(total),
        percentage: String(Math.floor(100 * value / total)),
        eta: value > 0 ? String(Math.round((now - start) / 1000 * (total - value) / value)) : "–",
        ...values,
      };
      console.log(format.replace(/\{(\w+)\}/g, (field, name: string) => known[name] ?? field));
    },
    stop(): void {},
  };
}
