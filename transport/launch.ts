/**
 * Starts the ranks of a group, as workers of this process or as processes, and ends them together.
 *
 * @module
 */

import { checkKnown } from "./known.ts";
import { type Ended, type Meeting, place, type Start, variables } from "./place.ts";

/** What to start. */
export interface LaunchOptions {
  /** The module that every rank runs: a URL, or a path from the current folder. */
  readonly script: string | URL;
  /** How many ranks to start on this machine. */
  readonly ranks: number;
  /** Start processes instead of workers of this process. Default false. */
  readonly processes?: boolean;
  /** How the ranks talk. Default "broadcast" for workers of one machine, which is the fastest, else "tcp". */
  readonly transport?: "broadcast" | "tcp";
  /** The script's arguments: what its `launchArgs()` returns. */
  readonly args?: readonly string[];
  /**
   * Whether every line that a rank prints begins with its number, as in "[2] …": what workers print through the console,
   * and all that processes print. Default true. Without it rank 0 may draw on the terminal.
   */
  readonly prefix?: boolean;
  /** How long ranks wait for one another, in milliseconds. Default 30 000. */
  readonly timeout?: number;
  /** How many machines take part, each with as many ranks. Default 1. */
  readonly nodes?: number;
  /** This machine's number, 0 ≤ nodeRank < nodes. Default 0. */
  readonly nodeRank?: number;
  /** Where rank 0 listens, "host:port": needed where nodes > 1. Default: a free port of this machine's own. */
  readonly rendezvous?: string;
  /** Further flags of `deno run` for processes. They have the permissions that this process has in full. */
  readonly flags?: readonly string[];
}

/** A rank failed, or the launch was interrupted, and the ranks were ended. */
export class LaunchError extends Error {
  /** "LaunchError". */
  override readonly name = "LaunchError";

  /** An error about `rank`, where one failed, that should end this process with the exit code `code`. */
  constructor(message: string, readonly code: number, readonly rank?: number, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Runs a script on several ranks and waits until all of them have ended. The script needs only `await connect()`.
 *
 * A rank that is a worker ends when its module has been evaluated: await at its top level what you start. `Deno.args` is
 * the process's own: scripts take their arguments from {@link launchArgs}. When a rank fails, the others are ended.
 * Processes are killed; workers are terminated, which Deno (2.9) does when they next return to their event loop: one
 * that is in a round throws a TransportError at once, one that computes goes on until then.
 *
 * @throws {RangeError | TypeError} if an option is out of range or unknown
 * @throws {LaunchError} with the exit code of the first rank that fails and its error as the cause
 *
 * @example
 * ```ts
 * import { launch } from "@gradwire/tfjs/launch";
 * // In a program: new URL("./train.ts", import.meta.url), which begins with `using group = await connect();`
 * const script = "data:text/javascript,export const trained = true;";
 * await launch({ script, ranks: 2, args: ["--epochs", "5"] });
 * ```
 */
export async function launch(options: LaunchOptions): Promise<void> {
  check(options);
  const { ranks, args = [], prefix = true, timeout, nodes = 1, nodeRank = 0, processes = false } = options;
  const script = toUrl(options.script).href, size = nodes * ranks, meeting = meetingOf(options);
  const running: Running[] = [];
  try {
    for (let local = 0; local < ranks; local++) {
      const start: Start = { script, prefix, place: { rank: nodeRank * ranks + local, size, meeting, args, timeout } };
      running.push(processes ? startProcess(start, local, options.flags ?? []) : startWorker(start));
    }
    await (processes ? interruptible(together(running)) : together(running));
  } finally {
    for (const rank of running) rank.end();
    await Promise.all(running.map(({ gone }) => gone));
  }
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
  "timeout",
  "nodes",
  "nodeRank",
  "rendezvous",
  "flags",
];

function check(options: LaunchOptions): void {
  checkKnown("launch", options, known);
  const { ranks, processes = false, transport, nodes = 1, nodeRank = 0, rendezvous, timeout = 1 } = options;
  const integer = (name: string, value: number, least: number, most: number) => {
    if (!(Number.isInteger(value) && least <= value && value <= most)) {
      throw new RangeError(`Cannot launch: ${name} is ${value}, expected an integer from ${least} to ${most}`);
    }
  };
  integer("ranks", ranks, 1, 1024);
  integer("nodes", nodes, 1, 1024);
  integer("nodeRank", nodeRank, 0, nodes - 1);
  if (!(timeout > 0 && timeout < 2 ** 31)) {
    throw new RangeError(`Cannot launch: timeout is ${timeout}, expected ms > 0`);
  }
  if (transport !== undefined && transport !== "broadcast" && transport !== "tcp") {
    throw new TypeError(`Cannot launch: unknown transport "${transport}", known are broadcast, tcp`);
  }
  if (transport === "broadcast" && (processes || nodes > 1)) {
    throw new TypeError("Cannot launch over broadcast: it connects workers of one process; processes need tcp");
  }
  if (nodes > 1 && rendezvous === undefined) {
    throw new TypeError(`Cannot launch on ${nodes} nodes: rendezvous is missing, expected "host:port" of rank 0`);
  }
}

function meetingOf({ processes = false, nodes = 1, transport, rendezvous }: LaunchOptions): Meeting {
  transport ??= processes || nodes > 1 || rendezvous !== undefined ? "tcp" : "broadcast";
  if (transport === "broadcast") return { transport, name: crypto.randomUUID() };
  if (rendezvous === undefined) return { transport, host: "127.0.0.1", port: freePort(), run: crypto.randomUUID() };
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(rendezvous) ?? [];
  if (host === undefined || !(Number(port) >= 1 && Number(port) <= 65_535)) {
    throw new RangeError(`Cannot launch: rendezvous is "${rendezvous}", expected "host:port"`);
  }
  return { transport, host, port: Number(port) };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** How a rank ended. */
interface End {
  readonly rank: number;
  readonly code: number;
  /** What to say of it, if it failed. */
  readonly why?: string;
  readonly error?: unknown;
  /** Whether it only reports that another one is lost. */
  readonly bystander?: boolean;
}

interface Running {
  readonly ended: Promise<End>;
  /** After `end`: when it is gone. */
  readonly gone: Promise<unknown>;
  end(): void;
}

/** Resolves when all have ended well; rejects when one has failed. */
function together(ranks: readonly Running[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const failures: End[] = [];
    let left = ranks.length, grace: ReturnType<typeof setTimeout> | undefined;
    function fail() {
      clearTimeout(grace);
      const { rank, code, why, error } = failures.find(({ bystander }) => !bystander) ?? failures[0]!;
      reject(new LaunchError(`Cannot go on: rank ${rank} ${why}`, code, rank, { cause: error }));
    }
    for (const { ended } of ranks) {
      ended.then((end) => {
        if (end.code !== 0) failures.push(end);
        if (--left === 0 && failures.length === 0) resolve();
        else if (end.code !== 0 && (!end.bystander || left === 0)) fail();
        // One that reports a loss may be faster than the one that is lost.
        else if (failures.length === 1 && end.bystander) grace = setTimeout(fail, 1000);
      }, reject);
    }
  });
}

/** Rejects at Ctrl-C and the like. */
async function interruptible(work: Promise<void>): Promise<void> {
  const signals = ["SIGINT", ...(Deno.build.os === "windows" ? [] : ["SIGTERM"])] as Deno.Signal[];
  const { promise, reject } = Promise.withResolvers<never>();
  const listeners = signals.map((signal) => () =>
    reject(new LaunchError(`Cannot go on: ${signal}`, signal === "SIGINT" ? 130 : 143))
  );
  signals.forEach((signal, i) => Deno.addSignalListener(signal, listeners[i]!));
  try {
    await Promise.race([work, promise]);
  } finally {
    signals.forEach((signal, i) => Deno.removeSignalListener(signal, listeners[i]!));
  }
}

function startWorker(start: Start): Running {
  const { rank } = start.place;
  const worker = new Worker(new URL("./launch_worker.ts", import.meta.url), { type: "module", name: `rank ${rank}` });
  const ended = new Promise<End>((resolve) => {
    const failed = (code: number, error?: Ended["error"]) =>
      resolve({
        rank,
        code,
        why: error === undefined ? `ended with exit code ${code}` : `failed: ${error.name}: ${error.message}`,
        error: error && Object.assign(new Error(error.message), error),
        bystander: error?.name === "TransportError",
      });
    worker.onmessage = ({ data }: MessageEvent<Ended>) => {
      if (data?.gradwire !== "ended") return;
      if (data.code === 0) resolve({ rank, code: 0 });
      else failed(data.code, data.error);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      const [, name = "Error", message] = /^(?:Uncaught )?(?:\(in promise\) )?(?:(\w+): )?([^]*)$/.exec(event.message)!;
      failed(1, { name, message: message! });
    };
  });
  worker.postMessage(start);
  return { ended, gone: Promise.resolve(), end: () => worker.terminate() };
}

function startProcess(start: Start, local: number, flags: readonly string[]): Running {
  const { script, prefix, place: { rank, size, meeting, args, timeout } } = start;
  if (meeting.transport !== "tcp") throw new TypeError("Cannot launch processes over broadcast");
  const { host, port, run } = meeting;
  const env = {
    RANK: `${rank}`,
    WORLD_SIZE: `${size}`,
    LOCAL_RANK: `${local}`,
    MASTER_ADDR: host,
    MASTER_PORT: `${port}`,
    GRADWIRE_RUN: run ?? "",
    GRADWIRE_TIMEOUT: timeout === undefined ? "" : `${timeout}`,
  };
  const output = prefix ? "piped" : "inherit";
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...permissions(host), ...flags, script, ...args],
      env,
      stdin: "null",
      stdout: output,
      stderr: output,
    }).spawn();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new Error(`Cannot launch processes: run with --allow-run, or without --processes`, { cause });
  }
  let tail = "";
  const copied = prefix
    ? Promise.all([
      copyLines(child.stdout, `[${rank}] `, Deno.stdout),
      copyLines(child.stderr, `[${rank}] `, Deno.stderr, (line) => tail = `${tail}\n${line}`.slice(-4000)),
    ])
    : Promise.resolve();
  const ended = child.status.then(async ({ code, signal }): Promise<End> => {
    await copied;
    // deno-lint-ignore no-control-regex -- colours
    const said = /^error: (?:Uncaught )?(?:\(in promise\) )?(.*)$/m.exec(tail.replace(/\x1b\[[\d;]*m/g, ""))?.[1];
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    return {
      rank,
      code,
      why: said === undefined ? how : `${how}: ${said}`,
      error: said === undefined ? undefined : new Error(said),
      bystander: said?.startsWith("TransportError") ?? false,
    };
  });
  return {
    ended,
    gone: ended,
    end() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    },
  };
}

/** The flags for what this process may do without restriction; for the rest, what connecting needs. */
function permissions(host: string): string[] {
  const state = (name: Deno.PermissionName) => Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state;
  const names = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as Deno.PermissionName[];
  const granted = names.filter((name) => state(name) === "granted");
  return [
    "--no-prompt",
    ...granted.map((name) => `--allow-${name}`),
    ...(granted.includes("net") ? [] : [`--allow-net=${host}`]),
    ...(granted.includes("env") ? [] : [`--allow-env=${variables.join(",")}`]),
  ];
}

async function copyLines(
  from: ReadableStream<Uint8Array<ArrayBuffer>>,
  prefix: string,
  to: { writeSync(bytes: Uint8Array): number },
  line: (line: string) => void = () => {},
): Promise<void> {
  const encoder = new TextEncoder();
  let rest = "";
  const print = (lines: readonly string[]) => {
    const bytes = encoder.encode(lines.map((line) => `${prefix}${line}\n`).join(""));
    for (let done = 0; done < bytes.length;) done += to.writeSync(bytes.subarray(done));
    lines.forEach(line);
  };
  for await (const text of from.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    print(lines);
  }
  if (rest !== "") print([rest]);
}

function toUrl(script: string | URL): URL {
  if (script instanceof URL) return script;
  if (/^[a-z][a-z0-9+.-]+:/i.test(script)) return new URL(script);
  const folder = new URL("file:///");
  folder.pathname = `${Deno.cwd().replaceAll("\\", "/")}/`;
  return new URL(script.replaceAll("\\", "/"), folder);
}

// As a command too: `deno run -A` and the address of this package's "./launch". Not awaited, for launch.ts imports this.
if (import.meta.main) import("../launch.ts").then(({ command }) => command(Deno.args)).then(Deno.exit);
