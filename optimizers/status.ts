/** The tiny round that opens every step: are all ranks at the same step, and all gradients finite? @module */

import { allGather, type Exchange } from "../transport/round.ts";

/** What a rank tells the others before a step. */
export interface Status {
  /** Steps taken before this one. */
  readonly step: number;
  /** The first variable whose gradient is not finite, or −1. */
  readonly nonFinite: number;
  /** Which variables have a gradient on this rank. */
  readonly present: readonly boolean[];
}

const TAG = 0x74735747; // "GWst", read as little-endian
const HEADER = 12;

/**
 * The status of all ranks, in rank order: 12 bytes and a bit per variable each.
 *
 * @throws {Error} if a rank sends something else or is at another step
 */
export function* exchangeStatus(mine: Status): Exchange<Status[]> {
  const { length } = mine.present, message = new Uint8Array(HEADER + ((length + 7) >>> 3));
  const view = new DataView(message.buffer);
  view.setUint32(0, TAG, true);
  view.setUint32(4, mine.step, true);
  view.setInt32(8, mine.nonFinite, true);
  mine.present.forEach((present, i) => present && (message[HEADER + (i >>> 3)]! |= 1 << (i & 7)));
  const statuses = (yield* allGather(message)).map((message, rank) => read(message, rank, length, mine.step));
  const other = statuses.findIndex(({ step }) => step !== mine.step);
  if (other >= 0) {
    throw new Error(
      `Cannot take step ${mine.step}: rank ${other} is at step ${statuses[other]!.step}. ` +
        "Give all ranks equally many batches, for instance by shard()",
    );
  }
  return statuses;
}

function read(message: Uint8Array, rank: number, length: number, step: number): Status {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  if (message.length !== HEADER + ((length + 7) >>> 3) || view.getUint32(0, true) !== TAG) {
    throw new Error(
      `Cannot take step ${step}: rank ${rank} sent ${message.length} bytes that do not open a step. ` +
        "All ranks must make the same calls in the same order, and have equally many batches",
    );
  }
  return {
    step: view.getUint32(4, true),
    nonFinite: view.getInt32(8, true),
    present: Array.from({ length }, (_, i) => ((message[HEADER + (i >>> 3)]! >>> (i & 7)) & 1) === 1),
  };
}
