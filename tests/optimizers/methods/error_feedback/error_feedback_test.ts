import { assert, assertAlmostEquals, assertEquals, assertThrows, unreachable } from "@std/assert/mod.js";
import {
  contractive,
  type ContractiveCompressor,
  identity,
  randK,
  topK,
  type UnbiasedCompressor,
} from "../../../../compressors/mod.ts";
import { context, errorFeedback, workspace } from "../../../../optimizers/mod.ts";
import {
  allGatherMeanwhile,
  type BlockingCollective,
  type Exchange,
  performTogether,
  runAsync,
  runBlocking,
  runTogether,
  type WireRound,
} from "../../../../transport/mod.ts";
import { lockstep, sparsest } from "../../lockstep.ts";

// The types carry the theory: what is only unbiased is refused, in the types and at run time; what is both is taken.
const onlyUnbiased = (({ alpha: _alpha, everyDraw: _everyDraw, ...rest }) => rest)(identity());

export const refused = () =>
  errorFeedback(
    // @ts-expect-error an unbiased compressor has no alpha
    onlyUnbiased satisfies UnbiasedCompressor,
  );

export const accepted: () => unknown = () => errorFeedback(identity() as UnbiasedCompressor & ContractiveCompressor);

Deno.test("errorFeedback refuses a compressor that is not contractive, and a delay that is no count", () => {
  assertThrows(refused, TypeError, "identity() is unbiased, not contractive");
  assertThrows(() => errorFeedback(identity(), { delay: .5 }), RangeError, "delay is 0.5");
});

Deno.test("errorFeedback's virtual iterate x − γ mean e moves by −γ mean g, also when the learning rate changes", () => {
  const run = lockstep(errorFeedback(sparsest()), { ranks: 3, size: 5 });
  const total = new Float64Array(5), applied = new Float64Array(5);
  let last = 0;
  for (let t = 0; t < 40; t++) {
    const rate = t < 10 ? .1 : t < 20 ? .01 : t % 3 === 0 ? 0 : .02;
    run.gradients.forEach((g) => g.forEach((v, j) => total[j]! += rate * v / 3));
    const estimate = run.step({ learningRate: rate });
    estimate.forEach((v, j) => applied[j]! += rate * v);
    if (rate > 0) last = rate;
    for (let j = 0; j < 5; j++) {
      const kept = run.states.reduce((sum, { local }) => sum + local.error[j]! / 3, 0);
      assertAlmostEquals(applied[j]! + last * kept, total[j]!, 1e-6);
    }
  }
  assert(applied.some((v) => v !== 0));
});

Deno.test("errorFeedback with a delay moves as without, τ steps later, also when the learning rate changes", () => {
  const rates = Array.from({ length: 24 }, (_, t) => t < 8 ? .1 : t < 16 ? .01 : .03);
  for (const delay of [1, 2, 3]) {
    const now = lockstep(errorFeedback(sparsest()), { ranks: 2, size: 4 });
    const later = lockstep(errorFeedback(sparsest(), { delay }), { ranks: 2, size: 4 });
    const moves = (run: typeof now) =>
      rates.map((learningRate) => run.step({ learningRate }).map((v) => learningRate * v));
    const plain = moves(now), delayed = moves(later);
    assertEquals(delayed.slice(0, delay), delayed.slice(0, delay).map(() => new Float32Array(4)));
    delayed.slice(delay).forEach((move, t) => move.forEach((v, j) => assertAlmostEquals(v, plain[t]![j]!, 1e-6)));
  }
});

Deno.test("with a learning rate of 0 everything stays on its way", () => {
  const plain = lockstep(errorFeedback(sparsest(), { delay: 2 }), { ranks: 2, size: 4 });
  const paused = lockstep(errorFeedback(sparsest(), { delay: 2 }), { ranks: 2, size: 4 });
  for (let t = 0; t < 4; t++) plain.step({ learningRate: .1 }), paused.step({ learningRate: .1 });
  const before = structuredClone(paused.states), given = plain.gradients.map((g) => g.slice());
  assertEquals(paused.step({ learningRate: 0 }), new Float32Array(4));
  assertEquals(structuredClone(paused.states), before);
  paused.gradients.forEach((g, rank) => g.set(given[rank]!));
  assertEquals(paused.step({ learningRate: .1 }), plain.step({ learningRate: .1 }));
});

Deno.test("a delayed exchange is under way while the next gradient is evaluated", () => {
  const log: string[] = [], method = errorFeedback(sparsest(), { delay: 1 });
  const group: BlockingCollective = {
    rank: 0,
    size: 1,
    traffic: { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 },
    perform: () => unreachable(),
    start(round) {
      log.push(`start ${round.op}`);
      return () => (log.push("finish"), performTogether([round])[0]!);
    },
    [Symbol.dispose]: () => {},
  };
  const layout = { names: ["x"], shapes: [[4]], size: 4 }, state = method.init(layout), memory = workspace();
  for (let step = 0; step < 2; step++) {
    const now = context({ seed: 1, step, rank: 0, size: 1, layout, workspace: memory });
    const minimise = function* (): Exchange {
      const ahead = method.ahead!(state, now), early = ahead.next([]), reply = early.done ? [] : yield early.value;
      log.push("gradient");
      for (let next = early.done ? early : ahead.next(reply); !next.done;) next = ahead.next(yield next.value);
      yield* method.reduce(Float32Array.of(1, 2, 3, 4 + step), state, { ...now, early: true });
    };
    runBlocking(minimise(), group);
  }
  assertEquals(log, ["gradient", "start allGather", "gradient", "finish"]);
});

Deno.test("a group that cannot exchange meanwhile performs the round when it is waited for, and an awaited one starts it", async () => {
  const exchange = function* (): Exchange<number> {
    return (yield* allGatherMeanwhile(Uint8Array.of(7)))[0]![0]!;
  };
  const traffic = { rounds: 0, encodedBytes: 0, sentBytes: 0, receivedBytes: 0 };
  const perform = (round: WireRound) => performTogether([round])[0]!;
  assertEquals(runBlocking(exchange(), { rank: 0, size: 1, traffic, perform, [Symbol.dispose]: () => {} }), 7);
  const awaited = {
    perform: (round: WireRound) => Promise.resolve(perform(round)),
    [Symbol.asyncDispose]: async () => {},
  };
  assertEquals(await runAsync(exchange(), { rank: 0, size: 1, traffic, ...awaited }), 7);
  assertEquals(runTogether([exchange(), exchange()]), [7, 7]);
  const waits = function* (): Exchange {
    yield { op: "finish" };
  };
  const group = { rank: 0, size: 1, traffic, perform, [Symbol.dispose]: () => {} };
  assertThrows(() => runBlocking(waits(), group), TypeError, "waits for a round that it has not started");
});

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

Deno.test("errorFeedback with a delay keeps what it had where a message cannot be made, and all refuse the next step", () => {
  const method = errorFeedback(topK({ k: 1 }), { delay: 1 }), run = lockstep(method, { ranks: 2, size: 4 });
  run.states[1]!.local.error.fill(3e38);
  run.gradients[1]!.fill(3e38);
  assertEquals(run.step({ learningRate: .1 }), new Float32Array(4));
  assertEquals(run.states[1]!.local.error, new Float32Array(4).fill(3e38));
  const before = structuredClone(run.states);
  for (let t = 0; t < 2; t++) {
    assertThrows(() => run.step({ learningRate: .1 }), RangeError, "what rank 1 would send or keep is beyond");
    assertEquals(structuredClone(run.states), before);
  }
});
