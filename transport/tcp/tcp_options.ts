/** The options of a TCP group. @module */

import type { CollectiveOptions } from "../collective/collective.ts";
import { checkDeadlines, type Deadlines, deadlines } from "../deadlines.ts";
import { checkInteger, checkNumber, checkOptions, show } from "../../options.ts";

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
   * The local address to listen on. Default: `host` on rank 0, and on the other ranks, which choose a free port, the address
   * from which they reach rank 0. With "0.0.0.0" a rank listens on all addresses, and the others are told the default.
   *
   * Debian's hosts file gives a machine's own name as an address of its loopback. Where `host` is such a name, rank 0 and the
   * ranks on its machine listen on all addresses, and the others find them where they found rank 0.
   */
  readonly bind?: string;
  /**
   * A name, of at most 256 characters, that tells apart runs at one host and port. Default "". Ranks of another run are turned
   * away, and are not told this name. A rank that knows the name, if it is not "", belongs to the run: if its size, timeout
   * or maxMessageBytes differ, or its number is taken, all ranks fail at once.
   */
  readonly run?: string;
  /**
   * How many milliseconds pass between two heartbeats, by which the other ranks know that this one lives. At most a third
   * of `timeout`. Default: a sixth of it.
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
 * Refuses options that are wrong, before anything is connected.
 *
 * @throws {RangeError} if a number is out of range
 * @throws {TypeError} if an option is unknown or is no string where one is needed
 */
export function checkTcpOptions(options: TcpOptions): void {
  const { rank, size, host, port, bind = "", run = "", timeout = 30_000, heartbeat = timeout / 6 } = options;
  checkOptions("connect", options, known);
  checkInteger("connect", "size", size, 1);
  checkInteger("connect", "rank", rank, 0, size - 1);
  checkInteger("connect", "port", port, 1, 65535);
  for (const [name, value] of Object.entries({ host, bind, run })) {
    if (typeof value !== "string") {
      throw new TypeError(`Cannot connect: ${name} is ${show(value)}, expected a string`);
    }
  }
  if (host === "") throw new RangeError('Cannot connect: host is "", expected a name or an address');
  if (run.length > 256) {
    throw new RangeError(`Cannot connect: run has ${run.length} characters, expected at most 256`);
  }
  checkDeadlines("connect", options);
  checkNumber("connect", "heartbeat", heartbeat, { above: 0, most: timeout / 3, note: "a third of timeout, in ms" });
}
