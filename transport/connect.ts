import { alone } from "./alone.ts";
import { checkDeadlines, type Deadlines, deadlines, deadlinesOf } from "./deadlines.ts";
import { checkOptions } from "../options.ts";
import { tellLauncher } from "./notice.ts";
import { placeFrom, variables } from "./environment.ts";
import { kindAt } from "./kinds.ts";
import { noteConnected, place } from "./place.ts";
import type { BlockingCollective } from "./round.ts";

/** Options of {@link connect}. Deadlines that are not given are the launcher's, where it has any. */
export interface ConnectOptions extends Deadlines {
  /** Over TCP: the local address to listen on. Default: see `tcp`. */
  readonly bind?: string;
}

/**
 * Connects this rank with the others, wherever it runs, and returns their group:
 *
 * 1. started by the launcher: with the ranks that it started;
 * 2. where `RANK`, `WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT` are set, as torchrun sets them: over TCP with rank 0
 *    listening there; instead of the first two also `SLURM_PROCID` and `SLURM_NTASKS`, where srun started this task of a
 *    step;
 * 3. else a group of one.
 *
 * Deno needs `--allow-env` for these names. Node reads them too, but this library has no TCP transport there, so that a rank
 * of several is refused. Dispose of the group (`using`) when it is not needed any more: the other ranks are told. Another call
 * makes another group, if all ranks make the same calls. A rank that was lost may be started again, as a process with the
 * variables that it had: it meets the others when they call `connect` again.
 *
 * @param options deadlines, and the local address to listen on
 * @returns this rank's group
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
  checkOptions("connect", options, [...deadlines, "bind"]);
  checkDeadlines("connect", options);
  const told = place(), mine = told ?? placeFrom(variable);
  if (told) noteConnected();
  if (mine === undefined || mine.size === 1) return alone();
  if (!told) await tellLauncher(variable("GRADWIRE_LAUNCHER"), mine.rank);
  const { bind } = options, patience = { ...deadlinesOf(mine), ...deadlinesOf(options) };
  return await kindAt(mine.meeting).join(mine, { ...patience, ...bind === undefined ? {} : { bind } });
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
