/** No memory in proportion to the parameters is allocated in a method's step. */

import { assert, assertEquals } from "@std/assert/mod.js";
import { type Method, none, parseMethod } from "../../optimizers/mod.ts";
import { context, workspace } from "../../optimizers/methods/method.ts";
import { fold, key, normal } from "../../random.ts";
import { performTogether, type Round, type WireRound } from "../../transport/mod.ts";
import { methods } from "../transport/same_bits.ts";

const layout = { names: ["kernel", "bias"], shapes: [[250, 240], [5536]], size: 2 ** 16 }, size = layout.size;
const centre = [0, 1].map((rank) => normal(fold(key(1), rank), new Float32Array(size)));

/**
 * The bytes of typed arrays that rank 0 allocates between two rounds at most, in each two steps: memory that is kept may
 * grow now and then, when a round first happens or a message is the longest so far.
 */
function allocated(method: Method, steps = 12): number {
  const ranks = [0, 1].map((rank) => ({
    rank,
    state: method.init(layout, 2),
    memory: workspace(),
    gradient: new Float32Array(size),
    parameters: new Float32Array(size),
  }));
  const most = new Float64Array(steps);
  for (let step = 0; step < steps; step++) {
    const exchanges = ranks.map(({ rank, state, memory, gradient, parameters }) => {
      gradient.set(centre[(rank + step) % 2]!);
      const own = { seed: 3, step, rank, size: 2, workspace: memory, learningRate: 0.1, parameters };
      return method.reduce(gradient, state, context(own));
    });
    let replies: readonly (readonly Uint8Array[])[] = [[], []], started = replies;
    for (;;) {
      const asked = exchanges.map((exchange, rank) => {
        const { external } = Deno.memoryUsage(), next = exchange.next(replies[rank]!);
        if (rank === 0) most[step] = Math.max(most[step]!, Deno.memoryUsage().external - external);
        return next;
      });
      if (asked.some(({ done }) => done)) break;
      const rounds = asked.map(({ value }) => value as Round), { op } = rounds[0]!;
      if (op === "gradient") {
        rounds.forEach((round, rank) => round.op === "gradient" && round.into.set(centre[rank]!));
        replies = [[], []];
      } else if (op === "start") {
        started = performTogether(rounds.map((round) => (round as Extract<Round, { op: "start" }>).round));
        replies = [[], []];
      } else replies = op === "finish" ? started : performTogether(rounds as WireRound[]);
    }
  }
  return most.reduce((least, bytes, step) => Math.min(least, Math.max(bytes, most[step - 1] ?? Infinity)), Infinity);
}

Deno.test("methods allocate no array that grows with the parameters", () => {
  const more = [
    "errorFeedback(topK({ ratio: 0.05 }), { delay: 3 })",
    "structuredUpdate({ localSteps: 2, ratio: 0.1 })",
  ];
  assertEquals([...methods, ...more].filter((text) => allocated(parseMethod(text)) > size / 4), []);
});

Deno.test("a mutant that copies the gradient is caught", () => {
  const copies: Method = {
    ...none(),
    // deno-lint-ignore require-yield -- a method may exchange nothing
    *reduce(gradient) {
      gradient.set(gradient.slice());
    },
  };
  assert(allocated(copies) >= 4 * size && allocated(none()) < size / 4);
});
