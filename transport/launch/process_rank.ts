/** Ranks that are processes. @module */

import type { End } from "./failure.ts";
import { copy, type Sink, sink } from "./output.ts";
import { reportKeeper } from "./error_report.ts";
import type { Notices } from "../notice.ts";
import type { Reaper } from "./reaper.ts";
import type { Running } from "./running_rank.ts";
import type { RankStart } from "./start.ts";

/** What all processes of a launch have in common. */
interface Common {
  readonly flags: readonly string[];
  /** The variables that say where the ranks meet. */
  readonly environment: Readonly<Record<string, string>>;
  readonly notices: Notices;
  readonly reaper: Reaper;
  readonly out: Sink;
  readonly err: Sink;
}

/** The streams to which the processes of a launch print. */
export function sinks(): Pick<Common, "out" | "err"> {
  return { out: sink(Deno.stdout), err: sink(Deno.stderr) };
}

/** Starts a rank as a process, number `local` of this machine. `watched` is to be awaited before the next one is started. */
export function startProcess(
  start: RankStart,
  local: number,
  { flags, environment, notices, reaper, out, err }: Common,
): Running & { readonly watched: Promise<void> } {
  const { script, prefix, place: { rank, size, args, connectTimeout, timeout, roundTimeout } } = start;
  const text = (value: number | undefined) => value === undefined ? "" : `${value}`;
  const env = {
    RANK: `${rank}`,
    WORLD_SIZE: `${size}`,
    LOCAL_RANK: `${local}`,
    ...environment,
    GRADWIRE_LAUNCHER: notices.address,
    GRADWIRE_CONNECT_TIMEOUT: text(connectTimeout),
    GRADWIRE_TIMEOUT: text(timeout),
    GRADWIRE_ROUND_TIMEOUT: text(roundTimeout),
  };
  const output = prefix ? "piped" : "inherit";
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, script, ...args],
    env,
    stdin: "null",
    stdout: output,
    stderr: output,
  }).spawn();
  const watched = reaper.watch(child.pid);
  const label = `[${rank}] `, keeper = reportKeeper();
  const copying = prefix ? [copy(child.stdout, label, out), copy(child.stderr, label, err, keeper)] : [];
  const gone = child.status.finally(() => reaper.forget(child.pid));
  const ended = gone.then(async ({ code, signal }): Promise<End> => {
    await Promise.all(copying.map((each) => each.drained()));
    if (code === 0) {
      const more = keeper.forget();
      if (more.length > 0) await err.print({ prefix: new TextEncoder().encode(label) }, more);
      return notices.has(rank) || size === 1 ? { rank, code } : { rank, code: 1, why: neverConnected };
    }
    const report = keeper.report(), how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    return report === undefined
      ? { rank, code, why: how }
      : { rank, code, why: `failed: ${report.said}`, error: report.error, lost: report.lost };
  });
  return {
    watched,
    ended,
    gone,
    end() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    },
  };
}

/** What an error says of a rank of several that has ended well without having called connect(). */
export const neverConnected =
  "ended without having called connect(), so that it has trained alone or not at all; a script that is launched on several " +
  "ranks needs `using group = await connect();`, and what uses the group must be awaited; --ranks 1 runs it alone";
