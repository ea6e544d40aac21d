import { alone } from "./alone.ts";
import { tcpBlocking } from "./blocking/blocking.ts";
import { broadcastChannel } from "./broadcast_channel/broadcast_channel.ts";
import { checkDeadlines, type Deadlines, deadlines, deadlinesOf } from "./deadlines.ts";
import { checkKnown } from "../options.ts";
import { tellLauncher } from "./notice.ts";
import { noteConnected, place, placeFrom, variables } from "./place.ts";
import type { BlockingCollective } from "./round.ts";

/** Options of {@link connect}. Deadlines that are not given are the launcher's, where it has any. */
export interface ConnectOptions extends Deadlines {
  /** Over TCP: the local address to listen on. Default: see `tcp`. */
  readonly bind?: string;
}

/** How many groups this worker has made: it tells them apart. */
let connections = 0;
/** Settles when no meeting over TCP is under way: one after the other, so that all ranks meet in the same order. */
let met: Promise<unknown> = Promise.resolve();

/**
 * Connects this rank with the others, wherever it runs, and returns their group:
 *
 * 1. started by the launcher: with the ranks that it started;
 * 2. where `RANK`, `WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT` are set, as torchrun sets them: over TCP with rank 0
 *    listening there; instead of the first two also `SLURM_PROCID` and `SLURM_NTASKS`, where srun started this task of a
 *    step;
 * 3. else a group of one.
 *
 * Deno needs `--allow-env` for these names. Node reads them too, but has no TCP transport: a rank of several is refused
 * there. Dispose of the group (`using`) when done: the others are told. Another call makes another group, if all ranks make
 * the same calls. A rank that was lost may be started again as a process with the variables of before: it meets the others
 * when they call `connect` again.
 *
 * @throws {Error} if the environment cannot be read, or names a place only in part
 * @throws {TransportError} if the ranks do not find one another
 * @throws {TypeError} on a page's main thread, which must not block, and under Node, if there are other ranks
 *
 * @example
 * ```ts
 * import { connect } from "@gradwire/tfjs/transport";
 * using group = await connect();
 * console.assert(group.rank < group.size);
 * ```
 */
export async function connect(options: ConnectOptions = {}): Promise<BlockingCollective> {
  checkKnown("connect", options, [...deadlines, "bind"]);
  checkDeadlines("connect", options);
  const told = place(), mine = told ?? placeFrom(variable);
  if (told) noteConnected();
  if (mine === undefined || mine.size === 1) return alone();
  const { rank, size, meeting } = mine, patience = { ...deadlinesOf(mine), ...deadlinesOf(options) };
  if (meeting.transport === "broadcast") {
    return await broadcastChannel({ name: `${meeting.name} ${connections++}`, rank, size, ...patience });
  }
  requireDeno(rank, size);
  if (!told) await tellLauncher(variable("GRADWIRE_LAUNCHER"), rank);
  const { host, port, run = "" } = meeting, { bind } = options;
  const address = { host, port, run, ...(bind === undefined ? {} : { bind }) };
  const group = met.then(() => tcpBlocking({ rank, size, ...address, ...patience }));
  met = group.catch(() => {});
  return await group;
}

function requireDeno(rank: number, size: number): void {
  if ("Deno" in globalThis) return;
  throw new TypeError(
    `Cannot connect rank ${rank} of ${size}: ranks that are processes talk over TCP, which this library does under Deno ` +
      "only; run the script with deno run, or unset RANK and WORLD_SIZE to train alone",
  );
}

function variable(name: string): string | undefined {
  const { Deno: host, process } = globalThis as {
    Deno?: typeof Deno;
    process?: { env?: Record<string, string | undefined> };
  };
  try {
    return host === undefined ? process?.env?.[name] : host.env.get(name);
  } catch (cause) {
    throw new Error(
      "Cannot connect: whether this is one of several ranks stands in the environment, which must not be read here; " +
        `run with --allow-env=${variables.join(",")}, or use alone() instead of connect()`,
      { cause },
    );
  }
}
