import { messagesOf } from "../../own_messages.ts";
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { oneBit } from "../../../../compressors/mod.ts";
import { oneBitSgd } from "../../../../optimizers/mod.ts";
import { lockstep } from "../../lockstep.ts";

Deno.test("oneBitSgd on one rank quantises by columns, with two means each", () => {
  const layout = { names: ["kernel", "bias"], shapes: [[3, 4], [5]], size: 17 };
  for (
    const [block, edges] of [[1, [0, 4, 8, 12, 17]], [5, [0, 8, 12, 17]], [256, [0, 12, 17]]] as const
  ) {
    const method = oneBitSgd({ block });
    const run = lockstep(method, { ranks: 1, layout });
    const gradient = run.gradients[0]!.slice(), estimate = run.step();
    for (let b = 0; b + 1 < edges.length; b++) {
      const part = gradient.subarray(edges[b], edges[b + 1]);
      const mean = (keep: (v: number) => boolean) => {
        const kept = part.filter(keep);
        return kept.reduce((sum, v) => sum + v / kept.length, 0);
      };
      const [high, low] = [mean((v) => !(v < 0)), mean((v) => v < 0)];
      part.forEach((v, j) => assertAlmostEquals(estimate[edges[b]! + j]!, v < 0 ? low : high, 1e-6));
    }
  }
  assertThrows(() => oneBitSgd({ block: 0 }), RangeError, "block is 0");
  assertEquals(oneBit().alpha(4), .75);
});

Deno.test("oneBitSgd's messages are pinned, byte for byte", () => {
  // Two rows of three columns: each a block, and a stripe.
  const kernel = { names: ["x"], shapes: [[2, 3]], size: 6 };
  assertEquals(messagesOf(oneBitSgd({ block: 3 }), [1, -2, 3, -4, .5, -.25], kernel), [
    "00000040" + "000000c0" + "40",
    "0000003f" + "000008c0" + "a0",
    "00000040" + "000000c0" + "40",
  ]);
});
