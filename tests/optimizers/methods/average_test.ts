import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { identity, randK, topK } from "../../../compressors/mod.ts";
import { average } from "../../../optimizers/mod.ts";
import { encodedBytes, type Exchange, relay } from "../../../transport/mod.ts";
import { stepTogether } from "../../../testing/step_together.ts";
import { workspace } from "../../../optimizers/mod.ts";
import { lockstep } from "../lockstep.ts";

Deno.test("average without compression is the mean, with it the mean of what is decoded", () => {
  const run = lockstep(average(), { ranks: 3, size: 5 });
  for (let t = 0; t < 3; t++) {
    const mean = run.gradients[0]!.map((_, j) => run.gradients.reduce((sum, g) => sum + g[j]! / 3, 0));
    run.step().forEach((v, j) => assertAlmostEquals(v, mean[j]!, 1e-6));
  }
  const top = lockstep(average(topK({ k: 1 })), { ranks: 2, size: 3 });
  top.gradients[0]!.set([4, 1, 0]), top.gradients[1]!.set([1, 0, -6]);
  assertEquals(top.step(), Float32Array.of(2, 0, -3));
});

Deno.test("average sums messages that may be summed, and gathers the others", () => {
  const layout = { names: ["x"], shapes: [[10]], size: 10 };
  for (
    const [compressor, op, bytes] of [[identity(), "allReduce", 40], [randK({ k: 3 }), "allGather", 12], [
      randK({ k: 3, shared: true }),
      "allReduce",
      12,
    ]] as const
  ) {
    const seen: unknown[] = [], states = [0, 1].map(() => average(compressor).init(layout));
    const through = (exchange: Exchange, rank: number) =>
      relay(exchange, function* (round) {
        seen.push([round.op, encodedBytes(round, rank)]);
        return yield round;
      });
    const gradients = states.map(() => new Float32Array(10).fill(1)), workspaces = states.map(workspace);
    stepTogether(average(compressor), states, gradients, { seed: 1, step: 0, layout, workspaces, through });
    assertEquals(seen, [[op, bytes], [op, bytes]]);
  }
});

Deno.test("average refuses what is no compressor", () => {
  assertThrows(
    () => average(null as never),
    TypeError,
    "Cannot make average: the compressor is null, expected one such",
  );
});
