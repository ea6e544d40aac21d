import { messagesOf } from "../../own_messages.ts";
import { context, ef21, workspace } from "../../../../optimizers/mod.ts";
import { lockstep, sparsest } from "../../lockstep.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { topK } from "../../../../compressors/mod.ts";

Deno.test("ef21+ sends a byte before its message; the messages are pinned, byte for byte", () => {
  const flat = { names: ["x"], shapes: [[6]], size: 6 }, method = ef21(topK({ k: 1 }), { plus: true });
  assertEquals(messagesOf(method, [1, -2, 3, -4, .5, -.25], flat), ["00" + "000080c0" + "30"]);
});

for (const plus of [false, true]) {
  Deno.test(`ef21's estimate is the mean of what the ranks' messages add up to (plus: ${plus})`, () => {
    const ranks = 3, size = 5, run = lockstep(ef21(sparsest(), { plus }), { ranks, size });
    for (let t = 0; t < 20; t++) {
      const given = run.gradients.map((g) => g.slice()), estimate = run.step();
      const of = (rank: number) =>
        plus
          ? run.states[0]!.shared.estimates!.subarray(rank * size, (rank + 1) * size)
          : run.states[rank]!.local.estimate!;
      estimate.forEach((v, j) => assertAlmostEquals(v, given.reduce((sum, _, r) => sum + of(r)[j]! / ranks, 0), 1e-5));
      // Top-1 leaves one number of each rank's estimate exact.
      given.forEach((g, rank) => assert(g.some((v, j) => Math.abs(v - of(rank)[j]!) < 1e-6)));
    }
  });
}

Deno.test("ef21+ refuses a state for another number of ranks, and a message of neither kind", () => {
  const method = ef21(sparsest(), { plus: true }), layout = { names: ["x"], shapes: [[4]], size: 4 };
  const reduce = (ranks: number) =>
    method.reduce(new Float32Array(4).fill(1), method.init(layout, 2), {
      ...context({ seed: 1, step: 0, rank: 0, size: ranks, layout, workspace: workspace() }),
    });
  assertThrows(() => reduce(3).next([]), RangeError, "ef21 on 3 ranks: the state holds 2 estimates");
  const exchange = reduce(2), { value } = exchange.next([]), own = (value as { message: Uint8Array }).message.slice();
  const odd = own.slice().fill(7, 0, 1);
  assertThrows(() => exchange.next([own, odd]), RangeError, "rank 1's message: it starts with 7");
});
