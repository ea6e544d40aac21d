import { messagesOf } from "../own_messages.ts";
import { assert, assertEquals } from "@std/assert/mod.js";
import { majorityVote } from "../../../optimizers/mod.ts";
import { lockstep } from "../lockstep.ts";

Deno.test("majorityVote decides by majority, and zeros and ties by the key", () => {
  const run = lockstep(majorityVote({ momentum: 0 }), { ranks: 3, size: 4 });
  run.gradients.forEach((gradient, rank) => gradient.set([rank - .5, .1, -2, rank === 0 ? 100 : -.01]));
  assertEquals(run.step(), Float32Array.of(1, 1, -1, -1));
  const tie = lockstep(majorityVote({ momentum: 0 }), { ranks: 2, size: 1000 });
  tie.gradients.forEach((gradient, rank) => gradient.fill(rank === 0 ? 1 : -1).fill(0, 500));
  const ups = (from: number, to: number) => tie.step().subarray(from, to).filter((v) => v > 0).length;
  // Binomial(500, 1/2): outside 250 ± 70 with probability 1e-9.
  for (const up of [ups(0, 500)]) assert(Math.abs(up - 250) < 70, `${up}`);
});

Deno.test("majorityVote's messages are pinned, byte for byte", () => {
  const flat = { names: ["x"], shapes: [[6]], size: 6 };
  assertEquals(messagesOf(majorityVote(), [1, -2, 3, -4, .5, -.25], flat), ["40", "a0", "40"]);
});
