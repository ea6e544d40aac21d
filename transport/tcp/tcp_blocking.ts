import { alone } from "../alone.ts";
import { blocking } from "../blocking/blocking.ts";
import { deadlinesOf } from "../deadlines.ts";
import { requireBlocking } from "../shared_memory/require_blocking.ts";
import type { BlockingCollective } from "../round.ts";
import { checkTcpOptions, type TcpOptions } from "./tcp_options.ts";

/**
 * Connects this rank with the others over TCP, as a group whose rounds block: what `model.fit` needs. See {@link
 * blocking}.
 *
 * A rank that computes goes on sending heartbeats. The comm worker inherits this thread's permissions and needs
 * `--allow-net` for the addresses of the ranks, and `--allow-read` where the library lies in files.
 *
 * @param options this rank's number, how many ranks there are, and where rank 0 listens
 * @returns the group, when all ranks are connected. Disposing of the group ends the worker
 * @throws {TransportError} if the ranks cannot be connected: see {@link tcp}
 * @throws {TypeError} on the main thread of a page, which must not block
 * @throws {RangeError | TypeError} if an option is out of range or unknown
 * @example
 * ```ts
 * import { tcpBlocking } from "@gradwire/tfjs/transport";
 * // In a script that is started `size` times: with RANK=0, RANK=1, …
 * using group = await tcpBlocking({ rank: 0, size: 1, host: "127.0.0.1", port: 28472 });
 * const vector = Float32Array.of(1, 2, 3);
 * group.perform({ op: "allReduce", vector });   // now the sum over all ranks
 * ```
 */
export async function tcpBlocking(options: TcpOptions): Promise<BlockingCollective> {
  requireBlocking();
  checkTcpOptions(options);
  const { rank, size, host, port, maxMessageBytes = 2 ** 30 } = options;
  if (size === 1) return alone();
  const module = new URL("./tcp.ts", import.meta.url), name = `rank ${rank} of ${size} to ${host}:${port}`;
  return await blocking({ module, connect: "tcp", options, name, maxMessageBytes, ...deadlinesOf(options) });
}
