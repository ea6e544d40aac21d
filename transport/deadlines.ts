/** How long ranks wait for one another: the same three options wherever ranks connect. @module */

import { checkNumber } from "../options.ts";

/** How long ranks wait for one another, in milliseconds. */
export interface Deadlines {
  /** How long to wait until all ranks have found one another. Default: `timeout`. */
  readonly connectTimeout?: number;
  /**
   * How long a rank that another waits for may be silent before it is lost. Default 30 000. Over TCP any byte is a sign
   * of life, and a rank that computes sends heartbeats: a slow link is not a dead one, and no rank is lost for
   * computing. In shared memory there are no heartbeats, so that there this is the longest that a rank may compute,
   * save or load while another waits for it.
   *
   * Where two ranks no longer hear each other although both live, each finds the other one silent. So that all ranks
   * name the same one, of more than two ranks the one with the higher number waits a quarter longer.
   */
  readonly timeout?: number;
  /**
   * How long one round may take from beginning to end, however many signs of life there are. Default: Infinity. It ends
   * a group in which a rank lives but never begins the round.
   */
  readonly roundTimeout?: number;
}

/** The names of the options. */
export const deadlines = ["connectTimeout", "timeout", "roundTimeout"] as const;

/**
 * Checks deadlines.
 *
 * @param doing what cannot be done otherwise, for the message
 * @throws {RangeError} if one is no number of milliseconds that a timer can wait
 */
export function checkDeadlines(doing: string, options: Deadlines): void {
  for (const name of deadlines) {
    const value = options[name];
    const endless = name === "roundTimeout";
    if (value === undefined || (endless && value === Infinity)) continue;
    checkNumber(doing, name, value, { above: 0, below: 2 ** 31, note: endless ? "in ms, or Infinity" : "in ms" });
  }
}

/** The deadlines among some options, without those that are undefined. */
export function deadlinesOf(options: { readonly [name in keyof Deadlines]?: number | undefined }): Deadlines {
  return Object.fromEntries(
    deadlines.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

/** "0.3 s". */
export function seconds(ms: number): string {
  return `${Math.round(ms) / 1000} s`;
}

/** "rank 2" or "ranks 1, 2". */
export function listed(ranks: readonly number[]): string {
  return `rank${ranks.length === 1 ? "" : "s"} ${ranks.join(", ")}`;
}

/**
 * How long `rank` waits for a sign of life of `peer`, in milliseconds. Of two ranks that do not hear each other
 * although both live, the one with the lower number is to say so first: a third rank passes it on, and all name the
 * same one.
 */
export function patience(timeout: number, rank: number, peer: number, size: number): number {
  return size > 2 && peer < rank ? 1.25 * timeout : timeout;
}
