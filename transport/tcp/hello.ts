/**
 * The hello packet, by which a rank says who it is when it connects, and whether such a rank belongs to the group.
 *
 * @module
 */

import { quoted } from "./printable.ts";

/** What a rank says of itself. The payload of a hello packet is this as JSON. */
export interface Hello {
  readonly rank: number;
  readonly size: number;
  /** Its option `timeout`, in milliseconds. */
  readonly timeout: number;
  /** Its option `maxMessageBytes`. */
  readonly maxMessageBytes: number;
  /** The name of the run that it belongs to. */
  readonly run: string;
  /** The address where the rank listens; "" stands for the address where the others reached rank 0. */
  readonly address: string;
  /** The port where the rank listens. */
  readonly port: number;
  /** Its option `connectTimeout`, in milliseconds. */
  readonly connectTimeout?: number;
  /** How much of that is left, in milliseconds. */
  readonly left?: number;
}

/** The hello that a packet holds; undefined where it holds none. */
export function readHello(value: unknown): Hello | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { rank, size, timeout, maxMessageBytes, run, address, port, connectTimeout, left } = value as Partial<Hello>;
  const count = (value: unknown, below: number): value is number =>
    Number.isInteger(value) && value as number >= 0 && value as number < below;
  const limit = (value: unknown): boolean => value === undefined || (typeof value === "number" && value >= 0);
  if (!count(size, 2 ** 31) || !count(rank, size) || !count(port, 65_536)) return undefined;
  if (typeof timeout !== "number" || typeof maxMessageBytes !== "number") return undefined;
  if (typeof run !== "string" || typeof address !== "string" || address.length > 255) return undefined;
  if (!limit(connectTimeout) || !limit(left)) return undefined;
  const patience = connectTimeout === undefined || left === undefined ? {} : { connectTimeout, left };
  return { rank, size, timeout, maxMessageBytes, run, address, port, ...patience };
}

/** What all ranks must have agreed on, and this rank's number. */
export type Agreed = Pick<Hello, "rank" | "size" | "timeout" | "maxMessageBytes" | "run">;

/** Why the rank that says hello does not fit into the group. */
interface Misfit {
  readonly wrong: string;
  /** Whether the rank has proved that it belongs to the run, so that its mistake is the mistake of the whole group. */
  readonly member: boolean;
}

/**
 * Compares the hello of a rank with what this rank knows, and returns how they differ, if they do.
 *
 * A rank that knows the name of the run belongs to it. Whoever does not know it may be a stranger, because of whom no group
 * gives up, and is not told the name.
 *
 * @param taken whether a rank of that number has come before
 */
export function misfit(hello: Hello, mine: Agreed, taken: boolean): Misfit | undefined {
  if (hello.run !== mine.run) {
    return { wrong: `it belongs to run ${quoted(hello.run)}, which is another one`, member: false };
  }
  const member = mine.run !== "";
  for (const what of ["size", "timeout", "maxMessageBytes"] as const) {
    if (hello[what] === mine[what]) continue;
    return {
      wrong: `${what} differs: ${hello[what]} on rank ${hello.rank}, ${mine[what]} on rank ${mine.rank}`,
      member,
    };
  }
  return taken ? { wrong: `rank ${hello.rank} is taken twice`, member } : undefined;
}
