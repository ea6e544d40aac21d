/** How ranks end, and which one the launcher names as the one that failed. @module */

import type { Failure } from "./start.ts";

/** An error in the form in which a worker tells the launcher of it. */
export function failureOf(error: unknown): Failure {
  const { name, message, stack } = error instanceof Error
    ? error
    : { name: "Error", message: inspect(error), stack: "" };
  return { name, message, stack, lost: lostIn(error) };
}

function inspect(value: unknown): string {
  return typeof value === "string" ? value : Deno.inspect(value);
}

/** The rank that a TransportError names, be it the error or a cause of it; -1 if it names none; undefined without one. */
function lostIn(error: unknown): number | undefined {
  for (let depth = 0; error instanceof Error && depth < 8; error = error.cause, depth++) {
    if (error.name === "TransportError") return (error as Error & { rank?: number }).rank ?? -1;
  }
  return undefined;
}

/** How a rank ended. */
export interface End {
  readonly rank: number;
  readonly code: number;
  /** What an error says of it, after its name, if it failed. */
  readonly why?: string;
  readonly error?: Error | undefined;
  /** The rank that it reports as lost, if it ended for that reason; -1 if it does not know which. */
  readonly lost?: number | undefined;
}

/** Why all ranks are ended. */
export interface Blame {
  /** The rank that failed, or was lost. None where the launch was interrupted. */
  readonly rank?: number;
  readonly code: number;
  readonly message: string;
  readonly error?: Error | undefined;
}

/** How many milliseconds the end of a lost rank is waited for: the rank that reports the loss may be seen to end before it. */
const graceMs = 5000;

/** Resolves with the rank to blame as soon as it is known, or with undefined when all ranks have ended well. */
export function together(ends: readonly Promise<End>[]): Promise<Blame | undefined> {
  return new Promise((resolve) => {
    const ended = new Map<number, End>(), reports: End[] = [];
    let grace: ReturnType<typeof setTimeout> | undefined;
    function decide(blame: Blame | undefined): void {
      clearTimeout(grace);
      resolve(blame);
    }
    /** Whom to blame where no rank has failed on its own, and some have reported that others are lost. */
    function fromReports(): Blame {
      const { rank, code, why, error, lost = -1 } = reports.find(({ lost = -1 }) => ended.get(lost)?.code === 0) ??
        reports[0]!;
      if (lost < 0 || lost === rank) return { rank, code, message: `Cannot go on: rank ${rank} ${why}`, error };
      const how = ended.get(lost)?.code === 0 ? "ended before the others" : "is lost";
      return { rank: lost, code, message: `Cannot go on: rank ${lost} ${how}: rank ${rank} ${why}`, error };
    }
    for (const each of ends) {
      each.then((end) => {
        ended.set(end.rank, end);
        if (end.code !== 0 && end.lost === undefined) {
          const { rank, code, why, error } = end;
          return decide({ rank, code, message: `Cannot go on: rank ${rank} ${why}`, error });
        }
        if (end.code !== 0) reports.push(end);
        if (reports.some(({ lost = -1 }) => ended.get(lost)?.code === 0)) decide(fromReports());
        else if (ended.size === ends.length) decide(reports.length === 0 ? undefined : fromReports());
        else if (reports.length === 1) grace ??= setTimeout(() => decide(fromReports()), graceMs);
      });
    }
  });
}
