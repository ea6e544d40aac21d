import { alone } from "./alone.ts";
import { tcpBlocking } from "./blocking.ts";
import { broadcastChannel } from "./broadcast_channel.ts";
import { checkDeadlines, type Deadlines, deadlines, deadlinesOf } from "./deadlines.ts";
import { checkKnown } from "./known.ts";
import { place, placeFrom, variables } from "./place.ts";
import type { BlockingCollective } from "./round.ts";

/** Options of {@link connect}. Deadlines that are not given are the launcher's, where it has any. */
export interface ConnectOptions extends Deadlines {
  /** Over TCP: the local address to listen on. Default: see `tcp`. */
  readonly bind?: string;
}

let connections = 0;

/**
 * Connects this rank with the others, wherever it runs, and returns their group:
 *
 * 1. started by the launcher: with the ranks that it started;
 * 2. where `RANK`, `WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT` are set, as torchrun sets them: over TCP with rank 0
 *    listening there; instead of the first two also Slurm's `SLURM_PROCID` and `SLURM_NTASKS`;
 * 3. else a group of one.
 *
 * The environment is read under Deno only, and needs `--allow-env` for these names. Dispose of the group (`using`) when
 * done: the others are told. Another call makes another group, if all ranks make the same calls.
 *
 * @throws {Error} if the environment cannot be read, or names a place only in part
 * @throws {TransportError} if the ranks do not find one another
 * @throws {TypeError} on a page's main thread, if there are other ranks: it must not block
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
  const mine = place() ?? placeFrom(variable);
  if (mine === undefined || mine.size === 1) return alone();
  const { rank, size, meeting } = mine, patience = { ...deadlinesOf(mine), ...deadlinesOf(options) };
  const nth = connections++; // tells the groups of the same ranks apart
  if (meeting.transport === "broadcast") {
    return await broadcastChannel({ name: `${meeting.name} ${nth}`, rank, size, ...patience });
  }
  const { host, port, run = "" } = meeting, { bind } = options;
  const address = { host, port, run: nth === 0 ? run : `${run} ${nth}`, ...(bind === undefined ? {} : { bind }) };
  return await tcpBlocking({ rank, size, ...address, ...patience });
}

function variable(name: string): string | undefined {
  const { Deno: host } = globalThis as { Deno?: typeof Deno };
  try {
    return host?.env.get(name);
  } catch (cause) {
    throw new Error(
      "Cannot connect: whether this is one of several ranks stands in the environment, which must not be read here; " +
        `run with --allow-env=${variables.join(",")}, or use alone() instead of connect()`,
      { cause },
    );
  }
}
