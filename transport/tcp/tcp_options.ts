/** Where the ranks of a TCP group meet and what they agree on. @module */

import type { CollectiveOptions } from "../collective/collective.ts";
import { checkDeadlines, type Deadlines, deadlines } from "../deadlines.ts";
import { checkOptions } from "../../options.ts";

/** Options of {@link tcp} and {@link tcpBlocking}. */
export interface TcpOptions extends CollectiveOptions, Deadlines {
  /** This process's number, 0 ≤ rank < size. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  /** Where rank 0 is reached, name or address. */
  readonly host: string;
  /** The port that rank 0 listens on, 1 to 65 535. */
  readonly port: number;
  /**
   * The local address to listen on. Default: `host` on rank 0; on others the address they reach rank 0 from. They
   * choose a free port. With "0.0.0.0" a rank listens everywhere and is told to others as the latter address.
   *
   * Where `host` is a name that rank 0's machine knows as an address of its own loopback, as Debian's do, rank 0 listens
   * everywhere, and so do the ranks on the same machine; the others find them where they found rank 0.
   */
  readonly bind?: string;
  /**
   * Tells apart runs that use the same host and port: ranks of another run are turned away, and are not told this name. At
   * most 256 characters. Default "". A rank that knows a name other than "" belongs to the run: if it has another size,
   * timeout or maxMessageBytes, or a rank that is taken, all ranks fail at once.
   */
  readonly run?: string;
  /**
   * How often to let the peers know that this rank lives, in milliseconds, at most a third of `timeout`. Default: a sixth
   * of it.
   */
  readonly heartbeat?: number;
}

const known = [
  "rank",
  "size",
  "host",
  "port",
  "bind",
  "run",
  ...deadlines,
  "heartbeat",
  "maxMessageBytes",
];

/**
 * Throws what is wrong with the options before anything is connected.
 *
 * @throws {RangeError} if a number is out of range
 * @throws {TypeError} if an option is unknown or is no string where one is needed
 */
export function checkTcpOptions(options: TcpOptions): void {
  const { rank, size, host, port, bind = "", run = "", timeout = 30_000, heartbeat = timeout / 6 } = options;
  const refuse = (what: string, value: unknown): never => {
    throw new RangeError(`Cannot connect: ${what}, received ${value}`);
  };
  checkOptions("connect", options, known);
  if (!(Number.isInteger(size) && size >= 1)) refuse("size must be a positive integer", size);
  if (!(Number.isInteger(rank) && rank >= 0 && rank < size)) {
    refuse(`rank must be an integer from 0 to ${size - 1}`, rank);
  }
  if (!(Number.isInteger(port) && port >= 1 && port <= 65535)) refuse("port must be an integer from 1 to 65535", port);
  for (const [name, value] of Object.entries({ host, bind, run })) {
    if (typeof value !== "string") throw new TypeError(`Cannot connect: ${name} must be a string, received ${value}`);
  }
  if (host === "") refuse("host must be a name or an address", '""');
  if (run.length > 256) refuse("run must have at most 256 characters", run.length);
  checkDeadlines("connect", options);
  if (!(heartbeat > 0 && heartbeat <= timeout / 3)) {
    refuse(`heartbeat must be above 0 ms and at most a third of timeout, ${timeout / 3} ms`, heartbeat);
  }
}
