/** Steps, sizes and shapes are integers up to 2⁵³ wherever a method keeps them. */

import { assert, assertEquals } from "@std/assert/mod.js";
import { contractive, randK } from "../../compressors/mod.ts";
import { context, errorFeedback, oneBitAdam, workspace } from "../../optimizers/mod.ts";
import { blocksOf } from "../../optimizers/methods/error_feedback/column_blocks.ts";
import { keysOfStep } from "../../optimizers/methods/keys.ts";
import { matricesOf } from "../../optimizers/methods/parts/matrix.ts";
import { fold, key } from "../../random.ts";
import { runTogether } from "../../transport/mod.ts";

Deno.test("a delayed message is decoded as what was sent the step before, at any step", () => {
  const method = errorFeedback(contractive(randK({ k: 1 })), { delay: 1 }), most = Number.MAX_SAFE_INTEGER;
  const layout = { names: ["w"], shapes: [[4]], size: 4 };
  for (const first of [0, 2 ** 24 - 3, 2 ** 31 - 3, 2 ** 32 - 3, 2 ** 40, most - 8]) {
    const state = method.init(layout), memory = workspace();
    let sent = new Float32Array(4);
    for (let step = first; step < first + 8; step++) {
      const gradient = Float32Array.of(1, 10, 100, 1000), before = state.local.error.map((e, i) => e + gradient[i]!);
      const now = context({ seed: 0, step, rank: 0, size: 1, layout, workspace: memory, learningRate: 1 });
      runTogether([method.reduce(gradient, state, now)]);
      assertEquals(gradient, sent, `step ${step}`);
      sent = before.map((v, i) => v - state.local.error[i]!);
      assertEquals(state.shared.sent[0], step + 1);
    }
  }
});

Deno.test("a delayed message of every length goes out as the bytes it has", () => {
  // Its messages have 0, 1, 2, 3 and 40 bytes in turn, all of them 255; it decodes to their number.
  const bytes = { ...contractive(randK({ k: 3 })), maxByteLength: () => 40 };
  let next = 0;
  const compressor = {
    ...bytes,
    encode: (_vector: Float32Array, _key: unknown, message: Uint8Array) => {
      const length = [0, 1, 2, 3, 40][next++ % 5]!;
      message.subarray(0, length).fill(255);
      return length;
    },
    decodeAdd: (message: Uint8Array, _key: unknown, scale: number, into: Float32Array) => {
      assert(message.every((byte) => byte === 255));
      into[0]! += scale * message.length;
    },
  };
  const method = errorFeedback(compressor, { delay: 1 }), memory = workspace();
  const layout = { names: ["w"], shapes: [[4]], size: 4 }, state = method.init(layout);
  const arrived = Array.from({ length: 11 }, (_, step) => {
    const gradient = new Float32Array(4);
    runTogether([
      method.reduce(gradient, state, context({ seed: 0, step, rank: 0, size: 1, layout, workspace: memory })),
    ]);
    return gradient[0];
  });
  assertEquals(arrived, [0, 0, 1, 2, 3, 40, 0, 1, 2, 3, 40]);
});

Deno.test("steps have keys of their own up to 2⁵³, the same as before below 2³²", () => {
  const steps = [0, 5, 2 ** 24, 2 ** 24 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 33 + 5, 2 ** 48 + 5, 2 ** 53 - 1];
  const keys = new Set<string>();
  for (const step of steps) {
    const { shared, keyOf } = keysOfStep(1, step);
    for (const made of [fold(key(1), step), shared, keyOf(0), keyOf(1), fold(keyOf(0), 1)]) keys.add(made.join());
  }
  assertEquals(keys.size, 5 * steps.length);
  assertEquals([fold(key(7), 0), fold(key(7), 5), fold(key(7), 2 ** 32 - 1)], [
    [1830345032, -406598096],
    [1628829261, -3245765],
    [-1771153842, -1897458269],
  ]);
});

Deno.test("shapes beyond 2²⁴ numbers are kept as they are", () => {
  const odd = 2 ** 24 + 1, layout = { names: ["a", "b", "c"], shapes: [[odd], [odd, 3], [2]], size: 4 * odd + 2 };
  assertEquals(matricesOf(layout).map(({ from, rows, columns }) => [from, rows, columns]), [
    [0, 1, odd],
    [odd, odd, 3],
    [4 * odd, 1, 2],
  ]);
});

Deno.test("1-bit methods count blocks and steps exactly", () => {
  const odd = 2 ** 24 + 1, bytes = 2 ** 24 + 5;
  assertEquals([...blocksOf({ names: ["a"], shapes: [[odd, 1]], size: odd }, bytes)], [odd, bytes]);
  const layout = { names: ["a"], shapes: [[2]], size: 2 };
  const method = oneBitAdam({ warmupSteps: 1 }), state = method.init(layout);
  state.shared.variance.fill(1);
  state.shared.count[0] = 2 ** 24;
  for (let step = 0; step < 2; step++) {
    const now = context({ seed: 0, step, rank: 0, size: 1, layout, workspace: workspace(), learningRate: .1 });
    runTogether([method.reduce(Float32Array.of(1, 1), state, now)]);
  }
  assertEquals(state.shared.count[0], 2 ** 24 + 2);
});
