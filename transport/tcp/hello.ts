/** What a rank says of itself when it connects, and whether it belongs to the group. @module */

import { quoted } from "./printable.ts";

/** What a rank says of itself. */
export interface Hello {
  readonly rank: number;
  readonly size: number;
  readonly timeout: number;
  readonly maxMessageBytes: number;
  readonly run: string;
  /** Where the rank listens; "" for the address where rank 0 was reached. */
  readonly address: string;
  readonly port: number;
  /** How long it waits for all ranks in all, and how much of that is left, in milliseconds. */
  readonly connectTimeout?: number;
  readonly left?: number;
}

/** The hello in a packet, if it is one. */
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

/** What this rank has agreed with the others. */
export type Agreed = Pick<Hello, "rank" | "size" | "timeout" | "maxMessageBytes" | "run">;

/** Why the rank that says hello does not belong here, and whether it has proved that it ought to. */
export interface Misfit {
  readonly wrong: string;
  readonly member: boolean;
}

/**
 * Compares what a rank says with what this one knows. Who knows the name of a run that has one belongs to it: its mistake
 * is the group's. Anyone else may be a stranger, for whose sake nobody gives up; and it is not told the name.
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
