import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { identity, oneBit, scaledSign, topK } from "../../../../compressors/mod.ts";
import {
  context,
  deepGradientCompression,
  distEf,
  doubleSqueeze,
  ef21,
  type Layout,
  majorityVote,
  type Method,
  oneBitAdam,
  oneBitSgd,
  type State,
  workspace,
} from "../../../../optimizers/mod.ts";
import { lockstep, sparsest } from "../../lockstep.ts";

const ranks = 3, size = 10;

/** mean eᵢ, plus the errors of the stripes. */
function kept(states: readonly State[], j: number): number {
  const server = states.findIndex((_, r) => j < Math.floor((r + 1) * size / ranks));
  return states.reduce((sum, { local }) => sum + local.error![j]! / ranks, 0) +
    states[server]!.local.serverError![j - Math.floor(server * size / ranks)]!;
}

/** What must add up: Σ γ p̄ = Σ γ g + γ (mean e + e of the server), p̄ the mean of what enters the compressor. */
function conserves(method: Method, enters: (gradient: Float32Array, rank: number) => ArrayLike<number>): void {
  const run = lockstep(method, { ranks, size }), total = new Float64Array(size), applied = new Float64Array(size);
  for (let t = 0; t < 60; t++) {
    const rate = t < 20 ? .1 : t < 40 ? .01 : .03;
    run.gradients.forEach((gradient, rank) => {
      const vector = enters(gradient, rank);
      for (let j = 0; j < size; j++) total[j]! += rate * vector[j]! / ranks;
    });
    run.step({ learningRate: rate }).forEach((v, j) => applied[j]! += rate * v);
    for (let j = 0; j < size; j++) assertAlmostEquals(applied[j]! + rate * kept(run.states, j), total[j]!, 2e-6);
  }
  assert(applied.some((v, j) => Math.abs(v - total[j]!) > 1e-3));
}

Deno.test("doubleSqueeze's virtual iterate moves by −γ mean g, also when the learning rate changes", () => {
  conserves(doubleSqueeze(sparsest()), (gradient) => gradient);
  conserves(doubleSqueeze(scaledSign()), (gradient) => gradient);
});

Deno.test("distEf's virtual iterate moves by −γ mean(μ m + g), or −γ mean m with the heavy ball", () => {
  for (const nesterov of [true, false]) {
    const m = Array.from({ length: ranks }, () => new Float64Array(size));
    conserves(distEf(sparsest(), { momentum: .9, nesterov }), (gradient, rank) =>
      gradient.map((g, j) => {
        m[rank]![j] = .9 * m[rank]![j]! + g;
        return nesterov ? .9 * m[rank]![j]! + g : m[rank]![j]!;
      }));
  }
});

Deno.test("a stripe's memory that is too short is refused", () => {
  const method = doubleSqueeze(identity()),
    states = [0, 1].map(() => method.init({ names: [], shapes: [], size: 4 }, 4));
  const run = lockstep(method, { ranks: 2, size: 4 });
  run.states.splice(0, 2, ...states);
  assertThrows(() => run.step(), RangeError, "Cannot serve a stripe of 2 numbers: the state was made for stripes of 1");
});

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

Deno.test("oneBitAdam without compression is Adam whose variance is frozen after the warm-up", () => {
  const warmupSteps = 5, rate = .02, [beta1, beta2, epsilon] = [.9, .999, 1e-7];
  const run = lockstep(oneBitAdam({ warmupSteps, compressor: identity() }), { ranks, size });
  const m = new Float64Array(size), v = new Float64Array(size);
  for (let t = 1; t <= 15; t++) {
    // The last parameter never has a gradient.
    for (const gradient of run.gradients) gradient[size - 1] = 0;
    const mean = Array.from(m, (_, j) => run.gradients.reduce((sum, g) => sum + g[j]! / ranks, 0));
    const step = run.step({ learningRate: rate });
    mean.forEach((g, j) => {
      m[j] = beta1 * m[j]! + (1 - beta1) * g;
      if (t <= warmupSteps) v[j] = beta2 * v[j]! + (1 - beta2) * g * g;
      const corrected = m[j]! / (1 - beta1 ** t), scale = Math.sqrt(v[j]! / (1 - beta2 ** Math.min(t, warmupSteps)));
      assertAlmostEquals(step[j]!, rate * corrected / (scale + epsilon), 1e-5);
    });
    assertEquals(step[size - 1], 0);
  }
});

Deno.test("oneBitAdam leaves parameters alone that never had a gradient, also when it compresses", () => {
  const run = lockstep(oneBitAdam({ warmupSteps: 2, compressor: scaledSign() }), { ranks, size });
  for (let t = 0; t < 10; t++) {
    for (const gradient of run.gradients) gradient[4] = 0;
    const step = run.step({ learningRate: .1 });
    assertEquals(step[4], 0);
    assert(step.every(Number.isFinite));
  }
});

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

/** The messages of rank 0 in the first step, as hexadecimal digits. */
function messagesOf(method: Method, gradient: readonly number[], layout: Layout): string[] {
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

Deno.test("the messages that are a method's own are pinned, byte for byte", () => {
  const flat = { names: ["x"], shapes: [[6]], size: 6 }, gradient = [1, -2, 3, -4, .5, -.25];
  assertEquals(messagesOf(majorityVote(), gradient, flat), ["40", "a0", "40"]);
  assertEquals(messagesOf(deepGradientCompression({ ratio: .4 }), gradient, flat), [
    "02000000" + "00004040" + "000080c0" + "2c",
  ]);
  assertEquals(messagesOf(ef21(topK({ k: 1 }), { plus: true }), gradient, flat), ["00" + "000080c0" + "30"]);
  // Two rows of three columns: each a block, and a stripe.
  const kernel = { names: ["x"], shapes: [[2, 3]], size: 6 };
  assertEquals(messagesOf(oneBitSgd({ block: 3 }), gradient, kernel), [
    "00000040" + "000000c0" + "40",
    "0000003f" + "000008c0" + "a0",
    "00000040" + "000000c0" + "40",
  ]);
});

Deno.test("oneBitAdam's momentum and errors add up to the momentum of the mean gradient, whatever the learning rate does", () => {
  const run = lockstep(oneBitAdam({ warmupSteps: 2, compressor: sparsest() }), { ranks, size });
  let whole = new Float64Array(size);
  for (let t = 0; t < 20; t++) {
    const before = run.states[0]!.shared.momentum.slice(), rate = t < 5 ? .1 : t % 2 === 0 ? .001 : .05;
    // m̂ + errors: β₁ m + (1 − β₁) g + what was kept, in units of the momentum.
    whole = whole.map((_, j) => {
      const mean = run.gradients.reduce((sum, g) => sum + g[j]! / ranks, 0);
      return .9 * before[j]! + (1 - .9) * mean + kept(run.states, j);
    });
    run.step({ learningRate: rate });
    whole.forEach((v, j) => assertAlmostEquals(run.states[0]!.shared.momentum[j]! + kept(run.states, j), v, 2e-6));
  }
  assert(run.states[0]!.local.error.some((v) => v !== 0));
});
