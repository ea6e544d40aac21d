/** The messages of methods that have compressors of their own. @module */

import { context, type Layout, type Method, workspace } from "../../optimizers/mod.ts";

/** The messages of rank 0 in the first step, as hexadecimal digits. */
export function messagesOf(method: Method, gradient: readonly number[], layout: Layout): string[] {
  const state = method.init(layout, 2), found: string[] = [];
  const now = context({ seed: 1, step: 0, rank: 0, size: 2, layout, workspace: workspace(), learningRate: 1 });
  const exchange = method.reduce(Float32Array.from(gradient), state, now);
  for (let next = exchange.next([]); !next.done;) {
    const round = next.value,
      own = round.op === "allToAll" ? round.messages : round.op === "allGather" ? [round.message] : [];
    found.push(...own.map((message) => message.toHex()));
    // The other rank says the same.
    next = exchange.next(round.op === "allToAll" ? [round.messages[0]!, round.messages[0]!] : [own[0]!, own[0]!]);
  }
  return found;
}
