import { checkRound, encodedBytes, messagesOf, opOf } from "./ops.ts";
import type { BlockingCollective, Traffic, WireRound } from "./round.ts";
import { lossOf, type TransportError } from "./transport.ts";

/**
 * Makes a group of one rank. It answers every round from what it is given, copies nothing and sends nothing.
 *
 * @example
 * ```ts
 * import { alone } from "@gradwire/tfjs/transport";
 * using group = alone();
 * console.assert(group.perform({ op: "allGather", message: Uint8Array.of(7) })[0]![0] === 7);
 * ```
 */
export function alone(): BlockingCollective {
  const traffic: Traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  let failure: TransportError | undefined;
  return {
    rank: 0,
    size: 1,
    traffic,
    uniform: true,
    perform(round: WireRound): readonly Uint8Array[] {
      if (failure) throw failure;
      checkRound(round, 1, 2 ** 32 - 1);
      traffic.rounds++;
      traffic.encodedBytes += encodedBytes(round, 0);
      return opOf(round.op).reply === "sum" ? nothing : messagesOf(round);
    },
    abort(reason) {
      failure ??= lossOf(reason, 0);
    },
    [Symbol.dispose]() {},
  };
}

const nothing: readonly Uint8Array[] = [];
