/**
 * Which call of this library a rank is in, as its message tells. Where the ranks are in different calls, each rank
 * reads this from the messages of the others, and can say what they do in place of what it waits for.
 *
 * @module
 */

import type { Exchange } from "../../../transport/round.ts";
import { TransportError } from "../../../transport/transport.ts";
import { type Group, runOn } from "./group.ts";
import { objectionsIn } from "./vote.ts";

/** The number that begins a message which opens a step: "GWst" read as a little-endian word. */
export const STEP_TAG = 0x74735747;
/** The bytes of such a message before the bits of its variables. */
export const STEP_HEADER = 28;

/** Whether a message opens a step. */
export function opensStep(message: Uint8Array): boolean {
  return message.length >= STEP_HEADER &&
    new DataView(message.buffer, message.byteOffset).getUint32(0, true) === STEP_TAG;
}

/** What all ranks must do, for messages. */
export const sameCalls = "All ranks must make the same calls in the same order";

/**
 * Says what two ranks do that are in different calls: "rank 0 is in saveTo, rank 1 opens a step". Undefined where all
 * ranks are in the same call.
 *
 * @param messages what each rank has sent, in rank order
 */
export function differentCalls(messages: readonly Uint8Array[]): string | undefined {
  const calls = messages.map(callOf), other = calls.findIndex((call) => call !== calls[0]);
  if (other < 0) return undefined;
  return [0, other].map((rank) =>
    `rank ${rank} ${calls[rank] ?? `sent ${messages[rank]!.length} bytes of no call that is known`}`
  ).join(", ");
}

/** What the rank does that has sent this message; undefined if that cannot be told. */
function callOf(message: Uint8Array): string | undefined {
  if (opensStep(message)) return "opens a step";
  if (objectionsIn([message])) return "refuses a step";
  const value = parse(message);
  if (Array.isArray(value)) {
    const [tag, part] = value;
    if (tag === "GWmetrics") return "is in syncMetrics";
    if (tag === "GWrejoin") return "is in rejoin";
    if (tag === "GWtogether") return savingParts.includes(part) ? "is in saveTo" : "is in restoreFrom";
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("gradwire" in value)) return undefined;
  if ("call" in value) return `is in ${value.call}`;
  if ("dataLoss" in value) return "opens its first step, new or restored";
  return "seed" in value || "variables" in value ? "is in rejoin" : "compares a step";
}

/** The parts of `saveTo`, by the names that they have in messages. */
const savingParts: readonly unknown[] = ["begin", "write", "look", "finish", "tidy"];

function parse(message: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(message.slice())); // decoders refuse shared memory
  } catch {
    return undefined;
  }
}

/**
 * Runs the exchange of a call that all ranks must make.
 *
 * @param doing what the call does, for messages
 * @throws {TransportError} if a rank is lost meanwhile. The message says that the lost rank may have gone on without
 *   having made the call
 */
export async function runCall<R>(doing: string, exchange: Exchange<R>, group: Group): Promise<R> {
  try {
    return await runOn(exchange, group);
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const { message, rank } = error;
    throw new TransportError(`Cannot ${doing}: ${message}. All ranks must make this call, at the same point`, {
      rank,
      cause: error,
    });
  }
}
