/** Comparing facts among ranks, with a sentence for each fact that must not differ. @module */

import { handshake } from "../../../transport/handshake.ts";
import type { Exchange } from "../../../transport/round.ts";
import { differentCalls, sameCalls } from "./calls.ts";
import { dataKey } from "./sharded.ts";
import { inCommon } from "./vote.ts";

/** Runs an exchange and tells the caller every reply. */
function* heard(exchange: Exchange, tell: (reply: readonly Uint8Array[]) => void): Exchange {
  let next = exchange.next([]);
  while (!next.done) {
    const reply = yield next.value;
    tell(reply);
    next = exchange.next(reply);
  }
}

/** How the handshake's errors begin. */
const prefix = "Cannot train together: ";

/**
 * Compares facts that must be equal on all ranks.
 *
 * @param what what cannot be done if they differ, for instance "take step 7"
 * @param advice what to do about a difference
 * @throws {Error} on all ranks alike: "Cannot <what>: <the fact> differs: <ranks and values>. <advice>"
 */
export function* compareFacts(what: string, facts: Readonly<Record<string, unknown>>, advice = ""): Exchange {
  let messages: readonly Uint8Array[] = [];
  try {
    yield* inCommon(heard(handshake(facts), (reply) => messages = reply));
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith(prefix))) throw error;
    const calls = differentCalls(messages);
    if (calls !== undefined) {
      error.message = `Cannot ${what}: ${calls}. ${sameCalls}`;
      throw error;
    }
    const why = error.message.slice(prefix.length);
    const then = why.startsWith(dataKey)
      ? "shard shuffles by itself, by a seed that all ranks share: give it the same rows in the same order on all ranks, " +
        "between the same two steps, and shuffle by Math.random only after it"
      : advice;
    error.message = `Cannot ${what}: ${why}${then && `. ${then[0]!.toUpperCase()}${then.slice(1)}`}`;
    throw error;
  }
}
