/**
 * Starts the ranks of a group, as workers of this process or as processes, and ends them together.
 *
 * @module
 */

import { checkDeadlines, type Deadlines, deadlines, deadlinesOf } from "../deadlines.ts";
import { checkChoice, checkInteger, checkOptions } from "../../options.ts";
import { type Blame, together } from "./failure.ts";
import { ownFlags, rankFlags } from "./flags.ts";
import { hostAndPort, scriptUrl } from "./addresses.ts";
import { listenForNotices } from "../notice.ts";
import { sinks, startProcess } from "./process_rank.ts";
import { startReaper } from "./reaper.ts";
import type { Running } from "./running_rank.ts";
import { startWorker } from "./worker_rank.ts";
import { place } from "../place.ts";
import type { RankStart } from "./start.ts";
import type { TransportKind } from "../kind.ts";
import { kinds } from "../kinds.ts";

/**
 * What to start. All ranks have these deadlines. Unless `timeout` is given, the default of `connectTimeout` grows with `ranks`,
 * because they share a machine while they start. A rank that fails meanwhile ends the launch at once.
 */
export interface LaunchOptions extends Deadlines {
  /** The module that every rank runs: a URL, or a path from the current folder. */
  readonly script: string | URL;
  /** How many ranks to start on this machine. */
  readonly ranks: number;
  /** Start processes instead of workers of this process. Default false. */
  readonly processes?: boolean;
  /** How the ranks talk, "broadcast" or "tcp". Default "broadcast" for workers of one process, which is the fastest, else "tcp". */
  readonly transport?: "broadcast" | "tcp";
  /** The script's arguments: its `Deno.args`. */
  readonly args?: readonly string[];
  /**
   * Whether every line that a rank prints begins with its number, as in "[2] …": what workers print through the console,
   * and all that processes print. Default true. Without it rank 0 may draw on the terminal.
   */
  readonly prefix?: boolean;
  /** How many machines take part, each with as many ranks. Default 1. */
  readonly nodes?: number;
  /** This machine's number, 0 ≤ nodeRank < nodes. Default 0. */
  readonly nodeRank?: number;
  /** Where rank 0 listens, "host:port" or "[address]:port": needed where nodes > 1. Default: a free port of this machine's own. */
  readonly rendezvous?: string;
  /**
   * Further flags of `deno run` for processes. They have this process's own flags, with its permissions, where the system
   * tells them (it does on Linux and macOS), and else the permissions that this process has in full.
   */
  readonly flags?: readonly string[];
}

/** A rank failed, or the launch was interrupted, and the ranks were ended. */
export class LaunchError extends Error {
  /** "LaunchError". */
  override readonly name = "LaunchError";
  /** The exit code that this process should end with: that of the rank that failed. */
  readonly code: number;
  /** The rank that failed first, or was lost; not one that only noticed. */
  readonly rank: number | undefined;

  /** An error about `rank`, where one failed, that should end this process with the exit code `code`. */
  constructor(message: string, code: number, rank?: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.rank = rank;
  }
}

/**
 * Runs a script on several ranks and waits until all of them have ended. The script needs only `await connect()`.
 *
 * A rank runs as under `deno run`: `import.meta.main` is true in the script, `Deno.args` and `process.argv` are its own, and
 * it ends when it has nothing more to do, so that a `main()` which is not awaited runs to its end. Workers share the import
 * map of this program; processes have the import map of the script. A rank of several that ends without having called
 * `connect` has failed.
 *
 * When a rank fails, the others are ended, and the error says which one failed first. Processes are killed, also when this
 * process is ended by whatever signal. Workers are terminated, which Deno (2.9) does when they next return to their event
 * loop: a worker that is in a round throws a TransportError at once, and a worker that computes goes on until it has done. A
 * rank that waits at its top level for a promise which nothing resolves is not noticed while its group is open: over TCP its
 * heartbeats go on, so that only `roundTimeout` ends the wait of the others for it.
 *
 * @param options the script, how many ranks, and how they are started
 * @throws {RangeError | TypeError} if an option is out of range or unknown
 * @throws {LaunchError} with the exit code of the first rank that fails and its error as the cause
 *
 * @example
 * ```ts
 * import { launch } from "@gradwire/tfjs/launch";
 * // In a program: new URL("./train.ts", import.meta.url).
 * const library = import.meta.resolve("@gradwire/tfjs");
 * const script = `data:text/typescript,
 *   import { connect } from "${library}";
 *   using group = await connect();
 *   group.perform({ op: "allReduce", vector: new Float32Array(1) });`;
 * await launch({ script, ranks: 2, args: ["--epochs", "5"] });
 * ```
 */
export async function launch(options: LaunchOptions): Promise<void> {
  check(options);
  const { processes = false } = options;
  if (processes && Deno.build.standalone) {
    throw new TypeError("Cannot launch processes from a compiled program, which is not deno: launch workers");
  }
  let blame: Blame | undefined;
  try {
    blame = await run(options);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    const needed = processes
      ? "processes: run with --allow-run and --allow-net=127.0.0.1, or without --processes"
      : "ranks that talk over tcp: run with --allow-net=127.0.0.1";
    throw new Error(`Cannot launch ${needed}`, { cause });
  }
  if (blame === undefined) return;
  const { message, code, rank, error } = blame;
  throw new LaunchError(message, code, rank, error === undefined ? {} : { cause: error });
}

/** Refuses a script that is a folder or is not there, as far as this process may look. */
function requireFile(script: URL): URL {
  let found: Deno.FileInfo | undefined;
  try {
    found = script.protocol === "file:" ? Deno.statSync(script) : undefined;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) return script;
    throw new TypeError(`Cannot launch: there is no script ${script.href}, expected a module`, { cause });
  }
  if (!found?.isDirectory) return script;
  throw new TypeError(`Cannot launch: the script ${script.href} is a folder, expected a module in it`);
}

async function run(options: LaunchOptions): Promise<Blame | undefined> {
  const { ranks, args = [], prefix = true, nodes = 1, nodeRank = 0, processes = false } = options;
  const script = requireFile(scriptUrl(options.script)).href, size = nodes * ranks, kind = kindOf(options);
  const meeting = kind.meetingPoint(options.rendezvous === undefined ? undefined : hostAndPort(options.rendezvous));
  const patience = { ...startDeadline(options), ...deadlinesOf(options) };
  const starts = Array.from({ length: ranks }, (_, local): RankStart => {
    return { script, prefix, place: { rank: nodeRank * ranks + local, size, meeting, args, ...patience } };
  });
  if (!processes) return await untilEnd((running) => starts.forEach((start) => running.push(startWorker(start))));
  const flags = [...rankFlags(await ownFlags(), kind.host!(meeting)), ...options.flags ?? []];
  await using notices = listenForNotices();
  await using reaper = startReaper();
  const common = { flags, notices, reaper, environment: kind.environment!(meeting), ...sinks() };
  using signal = interruption();
  return await untilEnd(async (running) => {
    for (const [local, start] of starts.entries()) {
      const process = startProcess(start, local, common);
      running.push(process);
      await process.watched;
    }
  }, signal.caught);
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

/** Accepted by `launch`. */
const known = [
  "script",
  "ranks",
  "processes",
  "transport",
  "args",
  "prefix",
  ...deadlines,
  "nodes",
  "nodeRank",
  "rendezvous",
  "flags",
];

function check(given: LaunchOptions): void {
  const options = checkOptions("launch", given, known);
  checkDeadlines("launch", options);
  const { ranks, processes = false, transport, nodes = 1, nodeRank = 0, rendezvous } = options;
  checkInteger("launch", "ranks", ranks, 1, 1024);
  checkInteger("launch", "nodes", nodes, 1, 1024);
  checkInteger("launch", "nodeRank", nodeRank, 0, nodes - 1);
  if (transport !== undefined) checkChoice("launch", "transport", transport, kinds.map(({ name }) => name));
  if ((processes || nodes > 1) && kindOf(options).oneProcess) {
    const apart = kinds.filter(({ oneProcess }) => !oneProcess).map(({ name }) => name);
    throw new TypeError(
      `Cannot launch over ${transport}: it connects workers of one process; processes need ${apart.join(" or ")}`,
    );
  }
  if (nodes > 1 && rendezvous === undefined) {
    throw new TypeError(`Cannot launch on ${nodes} nodes: rendezvous is missing, expected "host:port" of rank 0`);
  }
}

/** The default of `connectTimeout`: on a loaded machine of few cores the last of 64 workers connects a minute after the first. */
function startDeadline({ ranks, timeout }: LaunchOptions): Pick<Deadlines, "connectTimeout"> {
  return timeout === undefined ? { connectTimeout: 30_000 + 5000 * ranks } : {};
}

/** The transport that is asked for, or else the first one that can connect such ranks. */
function kindOf({ processes = false, nodes = 1, transport, rendezvous }: LaunchOptions): TransportKind {
  const apart = processes || nodes > 1 || rendezvous !== undefined;
  return kinds.find(({ name, oneProcess }) => transport === undefined ? !(apart && oneProcess) : name === transport)!;
}

/** Starts ranks and waits for their end. However it returns, no rank is left. */
async function untilEnd(
  start: (running: Running[]) => void | Promise<void>,
  interrupted?: Promise<Blame>,
): Promise<Blame | undefined> {
  const running: Running[] = [];
  try {
    await start(running);
    const end = together(running.map(({ ended }) => ended));
    return await (interrupted === undefined ? end : Promise.race([end, interrupted]));
  } finally {
    for (const rank of running) rank.end();
    await Promise.all(running.map(({ gone }) => gone));
  }
}

const signals: readonly (readonly [Deno.Signal, number])[] = Deno.build.os === "windows"
  ? [["SIGINT", 130], ["SIGBREAK", 149]]
  : [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129], ["SIGQUIT", 131]];

/** Resolves at Ctrl-C and other signals that would end this process and leave the ranks. */
function interruption(): { readonly caught: Promise<Blame> } & Disposable {
  const { promise: caught, resolve } = Promise.withResolvers<Blame>();
  const listeners = signals.map(([signal, code]) => {
    const listener = () => resolve({ code, message: `Cannot go on: ${signal}` });
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return { caught, [Symbol.dispose]: () => listeners.forEach((remove) => remove()) };
}
