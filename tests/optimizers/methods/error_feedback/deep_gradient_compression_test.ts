import { messagesOf } from "../../own_messages.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { deepGradientCompression } from "../../../../optimizers/mod.ts";
import { lockstep } from "../../lockstep.ts";

const ranks = 3, size = 50;

Deno.test("deepGradientCompression that sends everything is momentum SGD, plain and Nesterov, masking or not", () => {
  for (const nesterov of [false, true]) {
    for (const masking of [false, true]) {
      const run = lockstep(deepGradientCompression({ ratio: 1, momentum: .9, nesterov, masking }), { ranks, size });
      const u = new Float64Array(size);
      for (let t = 0; t < 20; t++) {
        const mean = Array.from(u, (_, j) => run.gradients.reduce((sum, g) => sum + g[j]! / ranks, 0));
        run.step().forEach((v, j) => {
          u[j] = nesterov ? .9 * (u[j]! + mean[j]!) : .9 * u[j]! + mean[j]!;
          assertAlmostEquals(v, nesterov ? u[j]! + mean[j]! : u[j]!, 1e-5);
        });
      }
    }
  }
});

Deno.test("deepGradientCompression without masking loses nothing: what was sent and v are the sum of u", () => {
  const run = lockstep(deepGradientCompression({ ratio: .1, masking: false }), { ranks: 1, size });
  const u = new Float64Array(size), total = new Float64Array(size), sent = new Float64Array(size);
  for (let t = 0; t < 40; t++) {
    run.gradients[0]!.forEach((g, j) => total[j]! += u[j] = .9 * u[j]! + g);
    run.step().forEach((v, j) => sent[j]! += v);
    const { velocity, momentum } = run.states[0]!.local;
    for (let j = 0; j < size; j++) {
      assertAlmostEquals(sent[j]! + velocity[j]!, total[j]!, 1e-4);
      assertAlmostEquals(momentum[j]!, u[j]!, 1e-4);
    }
  }
});

Deno.test("deepGradientCompression forgets momentum and sum where it sent, and only there", () => {
  const run = lockstep(deepGradientCompression({ ratio: .1 }), { ranks: 1, size });
  for (let t = 0; t < 10; t++) {
    const estimate = run.step(), { velocity, momentum } = run.states[0]!.local;
    assertEquals(estimate.filter((v) => v !== 0).length, 5);
    estimate.forEach((v, j) => assertEquals([momentum[j] === 0, velocity[j] === 0], [v !== 0, v !== 0]));
  }
});

Deno.test("deepGradientCompression clips a rank's gradient to clip / √n", () => {
  const run = lockstep(deepGradientCompression({ ratio: 1, momentum: 0, clip: 2 }), { ranks: 4, size: 3 });
  for (const gradient of run.gradients) gradient.set([30, 0, -40]);
  run.step().forEach((v, j) => assertAlmostEquals(v, [.6, 0, -.8][j]!, 1e-6));
  for (const gradient of run.gradients) gradient.set([.3, 0, -.4]);
  run.step().forEach((v, j) => assertAlmostEquals(v, [.3, 0, -.4][j]!, 1e-6));
});

Deno.test("deepGradientCompression's share falls in stages over the warm-up", () => {
  const run = lockstep(deepGradientCompression({ ratio: .001, warmupSteps: 8 }), { ranks: 1, size: 10000 });
  const shares = Array.from({ length: 10 }, () => run.step().filter((v) => v !== 0).length / 10000);
  [.2512, .2512, .0631, .0631, .0158, .0158, .004, .004, .001, .001].forEach((share, t) =>
    assertAlmostEquals(shares[t]!, share, 2e-4)
  );
});

Deno.test("a sampled threshold lets 0.8 to 1.3 times the wanted share through, of the largest", () => {
  const d = 20000,
    run = lockstep(deepGradientCompression({ ratio: .01, momentum: 0, sample: .01 }), { ranks: 1, size: d });
  for (let t = 0; t < 20; t++) {
    const before = run.states[0]!.local.velocity.slice();
    run.gradients[0]!.forEach((g, j) => before[j]! += g);
    const estimate = run.step(), count = estimate.filter((v) => v !== 0).length;
    assert(160 <= count && count <= 260, `${count} of 200`);
    const least = estimate.reduce((least, v) => v === 0 ? least : Math.min(least, Math.abs(v)), Infinity);
    assert(before.every((v, j) => estimate[j] !== 0 || Math.abs(v) <= least));
  }
  // All magnitudes equal: no threshold separates them, the exact selection takes over.
  run.gradients[0]!.fill(1);
  run.states[0]!.local.velocity.fill(0);
  assertEquals(run.step().filter((v) => v !== 0).length, 200);
});

Deno.test("deepGradientCompression refuses messages that are not its own", () => {
  const method = deepGradientCompression({ ratio: .1 }), state = method.init({ names: [], shapes: [], size });
  for (const bytes of [[], [1, 2], [255, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0, 0, 0, 192, 127, 0]]) {
    const run = lockstep(method, { ranks: 1, size });
    const original = method.reduce;
    const broken = {
      ...method,
      // deno-lint-ignore require-yield
      *reduce(...given: Parameters<typeof original>) {
        const exchange = original(...given);
        exchange.next([]);
        exchange.next([Uint8Array.from(bytes)]);
      },
    };
    run.states[0] = state;
    assertThrows(() => lockstep(broken, { ranks: 1, size }).step(), RangeError);
  }
  assertThrows(() => deepGradientCompression({ ratio: 0 }), RangeError, "ratio is 0, expected a number > 0 and ≤ 1");
});

Deno.test("deepGradientCompression's messages are pinned, byte for byte", () => {
  const flat = { names: ["x"], shapes: [[6]], size: 6 };
  assertEquals(messagesOf(deepGradientCompression({ ratio: .4 }), [1, -2, 3, -4, .5, -.25], flat), [
    "02000000" + "00004040" + "000080c0" + "2c",
  ]);
});
