import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { identity } from "../../../../compressors/mod.ts";
import {
  average,
  deepGradientCompression,
  diana,
  errorFeedback,
  fedAvg,
  localSgd,
  minimise,
  perLayer,
  powerSgd,
  quadratic,
  scaffold,
  warmup,
} from "../../../../optimizers/mod.ts";
import { sampleRanks } from "../../../../optimizers/methods/parts/sampling.ts";
import { keysOfStep } from "../../../../optimizers/methods/keys.ts";
import { methodProperties } from "../../../../testing/mod.ts";
import { type Listed, methodOf, methods } from "../../all_methods.ts";
import { lockstep, rand, top } from "../../lockstep.ts";
import { mini } from "../../problems.ts";

/** Methods inside `fedAvg`, where only some of the ranks take part in a round. */

const size = 6, layout = { names: ["x"], shapes: [[size]], size };

/** A tensor of each kind that methods by layer tell apart. */
const kinds = { names: ["kernel", "bias", "scale"], shapes: [[2, 2], [1], []], size };

/** Combinators of methods of which one needs all ranks. */
const whole = [
  "perLayer(layout, byShape(ef21(topK({ k: 1 })), ef21(topK({ k: 1 })), average))",
  "skipSmall(layout, ef21(topK({ k: 1 })), { below: 1 })",
  "warmup(ef21(topK({ k: 1 })), { steps: 2 })",
  "warmup(average, { steps: 2, from: ef21(topK({ k: 1 })) })",
  "schedule({ 0: ef21(topK({ k: 2 })), 1: ef21(topK({ k: 1 })) })",
  "none",
];

/** Combinators of methods that no local method takes, whatever the fraction. */
const never = [
  "warmup(marina(randK({ k: 1 })), { steps: 2 })",
  "schedule({ 0: vrDiana(randK({ k: 1 }), { terms: 2 }) })",
];

Deno.test("every method is right among a part of the ranks, or refused by name when fedAvg is made", () => {
  const more = [...whole, ...never].map((text): Listed => ({ text }));
  for (const { text, sampled = false } of [...methods, ...more]) {
    const method = methodOf(text, kinds), { name, yields = "gradient", asksGradients } = method;
    assertEquals(method.sampled ?? false, sampled, text);
    const fed = (fraction: number) => fedAvg({ localSteps: 1, fraction, method });
    if (yields === "gradient" && !asksGradients) {
      fed(1);
      if (sampled) fed(.5);
      else assertThrows(() => fed(.5), TypeError, `fedAvg of ${name} with a fraction of 0.5`);
      continue;
    }
    for (const fraction of [.5, 1]) assertThrows(() => fed(fraction), TypeError, `Cannot make fedAvg of ${name}: it`);
    assertThrows(() => localSgd({ every: 2, method }), TypeError, `Cannot make localSgd of ${name}: it`);
  }
  const refused = (text: string) => {
    const { yields = "gradient", asksGradients } = methodOf(text, kinds);
    return yields !== "gradient" || asksGradients;
  };
  assert(never.every(refused) && !whole.some(refused));
  const { sampled: _, ...silent } = average();
  assertThrows(
    () => fedAvg({ localSteps: 1, fraction: .5, method: silent }),
    TypeError,
    "expected a method whose memory",
  );
});

Deno.test("with equal data and no compression it makes no difference who takes part", () => {
  const a = Array.from({ length: size }, (_, j) => Array.from({ length: size }, (_, k) => j === k ? j + 1 : .1));
  const part = { a, b: [1, -2, 3, 0, 5, 6] };
  for (const [ranks, fraction] of [[4, .25], [5, .6], [7, .5]] as const) {
    const problem = quadratic(Array.from({ length: ranks }, () => part)), options = { rounds: 12, step: .03 };
    for (const localSteps of [1, 3]) {
      const plain = minimise(problem, localSgd({ every: localSteps }), options).parameters;
      for (const { exact, sampled } of methods) {
        // Diana's shifts are each rank's own: which of them count does make a difference.
        if (!exact || !sampled || exact.startsWith("diana")) continue;
        const method = fedAvg({ localSteps, fraction, method: methodOf(exact, layout) });
        const { parameters } = minimise(problem, method, options);
        parameters.forEach((v, j) => assertAlmostEquals(v, plain[j]!, 1e-5, `${exact}, ${ranks} ranks, ${fraction}`));
      }
    }
  }
});

Deno.test("fault 24: diana's mean shift is the mean of all ranks' shifts, also of those that were not sampled", () => {
  for (const [ranks, fraction, compressor] of [[4, .25, identity()], [5, .6, rand(2)], [3, 1, rand(2)]] as const) {
    const local = fedAvg({ localSteps: 1, fraction, method: diana(compressor) });
    const run = lockstep(local, { ranks, size }), parameters = new Float32Array(size);
    for (let t = 0; t < 15; t++) {
      parameters.set(run.step({ learningRate: .1, parameters }));
      run.states[0]!.shared["method.meanShift"]!.forEach((h, j) => {
        const mean = run.states.reduce((sum, { local }) => sum + local["method.shift"]![j]! / ranks, 0);
        assertAlmostEquals(h, mean, 1e-5, `${ranks} ranks, step ${t}`);
      });
    }
  }
});

Deno.test("with its shifts fedAvg reaches the optimum of different data from a third of the ranks, and stalls without", () => {
  const options = { rounds: 2000, step: .05, error: 1e-10, every: 1e6 };
  for (const compressor of [identity(), rand(2)]) {
    const run = minimise(mini, fedAvg({ localSteps: 1, fraction: 1 / 3, method: diana(compressor) }), options);
    assert(run.reached, `${run.error}`);
  }
  assert(minimise(mini, fedAvg({ localSteps: 1, fraction: 1 / 3 }), options).error > 1e-4);
});

Deno.test("fault 28: ranks that were not sampled encode nothing, whether the method gathers or reduces", () => {
  const ranks = 4, part = { a: [[1, 0], [0, 2]], b: [1, 1] }, problem = quadratic([part, part, part, part]);
  for (const [fraction, taking] of [[.25, 1], [.5, 2], [1, 4]] as const) {
    for (const method of [average(), errorFeedback(identity()), powerSgd({ minimumRate: 1e9 })]) {
      const { bytes } = minimise(problem, fedAvg({ localSteps: 3, fraction, method }), { rounds: 18, step: .1 });
      assertEquals(bytes, 6 * 8 * taking / ranks, `${method.name}, fraction ${fraction}`);
    }
    // The movement, the turn: two messages of 8 bytes.
    const { bytes } = minimise(problem, scaffold({ localSteps: 3, fraction }), { rounds: 18, step: .1 });
    assertEquals(bytes, 6 * 16 * taking / ranks);
  }
});

Deno.test("the ranks of a round are the same in all of its steps, and others in the next", () => {
  const ranks = 6, run = lockstep(fedAvg({ localSteps: 4, fraction: .5 }), { ranks, size });
  const points = Array.from({ length: ranks }, () => new Float32Array(size)), rounds: string[] = [];
  for (let step = 0; step < 40; step++) {
    const before = points.map((x) => x.slice());
    const after = run.stepEach(points.map((parameters) => ({ learningRate: .1, parameters })));
    after.forEach((x, rank) => points[rank]!.set(x));
    if (step % 4 === 3) continue; // all move to the new point
    const moved = points.flatMap((x, rank) => x.some((v, j) => v !== before[rank]![j]) ? [rank] : []);
    const keysAt = (step: number) => keysOfStep(1, step);
    assertEquals(moved, [...sampleRanks(.5, 4, { step, size: ranks, keysAt })], `step ${step}`);
    if (step % 4 === 0) rounds.push(moved.join());
    else assertEquals(moved.join(), rounds.at(-1), `step ${step}`);
  }
  assert(new Set(rounds).size > 3); // 10 draws of 20 sets: at most 3 different ones have a chance of 7e-6
});

Deno.test("fedAvg moves by η times the mean movement", () => {
  for (const globalRate of [.5, 1, 2]) {
    const run = lockstep(fedAvg({ localSteps: 1, globalRate }), { ranks: 3, size });
    const given = run.gradients.map((g) => g.slice()), parameters = new Float32Array(size).fill(1);
    run.step({ learningRate: .1, parameters }).forEach((v, j) => {
      assertAlmostEquals(v, 1 - globalRate * .1 * given.reduce((sum, g) => sum + g[j]! / 3, 0), 1e-6);
    });
  }
});

Deno.test("the steps of the method inside are its exchanges", () => {
  // Three exchanges with average, then top-1: the first four steps of a round do not count.
  const local = localSgd({ every: 4, method: warmup(errorFeedback(top(1)), { steps: 3 }) });
  const { history } = minimise(mini, local, { rounds: 20, step: .05 });
  // Three numbers of 4 bytes, then one with its index.
  assertEquals([4, 8, 12, 16, 20].map((round) => history[round]!.bytes), [12, 24, 36, 44, 52]);
  const delayed = minimise(mini, localSgd({ every: 2, method: errorFeedback(identity(), { delay: 3 }) }), {
    rounds: 20,
    step: .05,
  });
  // τ = 3 exchanges of two steps: nothing is applied before the fourth.
  assertEquals(delayed.history.findIndex(({ round, error }) => round % 2 === 0 && error !== 1), 8);
});

// With compression: the same bits on all ranks, and failures leave the state as it was, that of the sampled and of the others.
const matrices = { names: ["kernel", "bias"], shapes: [[6, 3], [5]], size: 23 };

for (
  const method of [
    average(rand(4)),
    diana(rand(4)),
    deepGradientCompression({ ratio: .3 }),
    powerSgd({ rank: 1, minimumRate: .5 }),
    perLayer(matrices, ({ index }) => index === 0 ? average(rand(3)) : errorFeedback(top(2))),
  ]
) {
  const options = {
    layout: matrices,
    scalar: false,
    average: false,
    steps: 5,
    agrees: (step: number) => step % 2 === 1,
  };
  for (const { name, check } of methodProperties(() => fedAvg({ localSteps: 2, fraction: .5, method }), options)) {
    Deno.test(`${name}, of ${method.name}`, check);
  }
}

Deno.test("powerSgd and deepGradientCompression: who was not sampled keeps what it has not sent", () => {
  const made = [[powerSgd({ rank: 1, minimumRate: .5 }), "error"], [
    deepGradientCompression({ ratio: .2 }),
    "velocity",
  ]] as const;
  for (const [method, memory] of made) {
    const local = fedAvg({ localSteps: 1, fraction: .5, method });
    const run = lockstep(local, { ranks: 4, layout: matrices });
    const parameters = new Float32Array(23), name = `method.${memory}`;
    for (let step = 0; step < 8; step++) {
      const before = run.states.map(({ local }) => local[name]!.slice());
      parameters.set(run.step({ learningRate: .1, parameters }));
      const members = [...sampleRanks(.5, 1, { step, size: 4, keysAt: (step) => keysOfStep(1, step) })];
      const changed = run.states.flatMap(({ local }, r) => local[name]!.some((v, j) => v !== before[r]![j]) ? [r] : []);
      assertEquals(changed, members, `${method.name}, step ${step}`);
    }
  }
});
