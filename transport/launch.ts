/**
 * Starts the ranks of a group: workers of this process, or processes.
 *
 * @module
 */

import type { FromRank, Place } from "./place.ts";
import { place } from "./place.ts";
import { listed } from "./rendezvous.ts";

/** What to start. */
export interface LaunchOptions {
  /** The module that every rank runs: a URL, or a path from the current folder. */
  readonly script: string | URL;
  /** How many ranks to start here. */
  readonly ranks: number;
  /** Start processes instead of workers of this process. Default false. */
  readonly processes?: boolean;
  /** How the ranks talk: default "broadcast" for workers of one machine, "tcp" otherwise. */
  readonly transport?: "broadcast" | "tcp";
  /** The script's arguments: its `launchArgs()`. */
  readonly args?: readonly string[];
  /** Whether lines that ranks print begin with their rank, as in "[2] …". Default true. */
  readonly prefix?: boolean;
  /** How long ranks wait for one another, in milliseconds. Default 30 000. */
  readonly timeout?: number;
}

/** A rank failed, and the others were ended. */
export class LaunchError extends Error {
  /** "LaunchError". */
  override readonly name = "LaunchError";

  /** An error about `rank`, which ended with the exit code `code`. */
  constructor(message: string, readonly rank: number, readonly code: number, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Runs a script on several ranks and waits until all have ended. The script needs only `await connect()`. A rank that
 * is a worker ends when its module has been evaluated: await at its top level what you start.
 *
 * @throws {RangeError} if an option is out of range
 * @throws {LaunchError} with the error and the exit code of the first rank that fails; the others are ended
 *
 * @example
 * ```ts no-run
 * import { launch } from "@gradwire/tfjs/launch";
 * await launch({ script: new URL("./train.ts", import.meta.url), ranks: 4, args: ["--epochs", "5"] });
 * ```
 */
export async function launch(options: LaunchOptions): Promise<void> {
  const { ranks } = options;
  if (!(Number.isInteger(ranks) && 1 <= ranks && ranks <= 1024)) {
    throw new RangeError(`Cannot launch: ranks is ${ranks}, expected an integer from 1 to 1024`);
  }
  await launchWorkers(options);
}

/**
 * The script's arguments: those given to the launcher, where it started this rank; else those of the process.
 *
 * @example
 * ```ts
 * import { launchArgs } from "@gradwire/tfjs/launch";
 * console.assert(Array.isArray(launchArgs()));
 * ```
 */
export function launchArgs(): readonly string[] {
  return place()?.args ?? (globalThis as { Deno?: typeof Deno }).Deno?.args ?? [];
}

/** A rank that has ended. */
interface End {
  readonly rank: number;
  readonly code: number;
  readonly error?: unknown;
}

function launchWorkers({ script, ranks, args = [], prefix = true, timeout }: LaunchOptions): Promise<void> {
  const name = crypto.randomUUID(), workers: Worker[] = [], ended = new Set<number>();
  const url = toUrl(script).href;
  return new Promise<void>((resolve, reject) => {
    const failures: End[] = [];
    const finish = (end: End) => {
      if (ended.has(end.rank)) return;
      ended.add(end.rank);
      if (end.code === 0 && end.error === undefined) {
        if (ended.size === ranks && failures.length === 0) resolve();
        return;
      }
      failures.push(end);
      // Ranks that only report the loss of the first one may be quicker to say so.
      if (failures.length === 1) setTimeout(fail, 250);
    };
    const fail = () => {
      for (const worker of workers) worker.terminate();
      const { rank, code, error } = failures.find(({ error }) => (error as Error)?.name !== "TransportError") ??
        failures[0]!;
      const why = error === undefined ? `exit code ${code}` : String(error);
      reject(new LaunchError(`Cannot go on: ${listed([rank])} failed: ${why}`, rank, code, { cause: error }));
    };
    for (let rank = 0; rank < ranks; rank++) {
      const worker = new Worker(new URL("./launch_worker.ts", import.meta.url), {
        type: "module",
        name: `rank ${rank}`,
      });
      workers.push(worker);
      worker.onmessage = ({ data }: MessageEvent<FromRank>) => {
        if (data?.gradwire === "end") finish({ rank, code: data.code, error: data.error });
      };
      worker.onerror = (event) => {
        event.preventDefault();
        finish({ rank, code: 1, error: event.error ?? new Error(event.message) });
      };
      const place: Place = {
        rank,
        size: ranks,
        args,
        group: { transport: "broadcast", name },
        ...(timeout ? { timeout } : {}),
      };
      worker.postMessage({ script: url, prefix, place });
    }
  });
}

function toUrl(script: string | URL): URL {
  if (script instanceof URL) return script;
  if (/^[a-z][a-z0-9+.-]+:/i.test(script)) return new URL(script);
  const folder = new URL("file:///");
  folder.pathname = `${Deno.cwd()}/`;
  return new URL(script, folder);
}
