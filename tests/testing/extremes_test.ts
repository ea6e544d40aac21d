import { assertThrows } from "@std/assert/mod.js";
import { topK } from "../../compressors/mod.ts";
import { errorFeedback, type Method } from "../../optimizers/mod.ts";
import { type ExtremeRun, extremes, rates, takeExtremeSteps } from "../../testing/extremes.ts";
import { allGather } from "../../transport/mod.ts";

const layout = { names: ["w"], shapes: [[5]], size: 5 };
const run = (draw: ExtremeRun["draw"], more: Partial<ExtremeRun> = {}): ExtremeRun => ({
  ...{ ranks: 3, layout, seed: 1, steps: 6, draw, rate: (step) => rates[step]!, agrees: () => true, mayRefuse: false },
  ...more,
});

for (const [name, draw] of Object.entries(extremes)) {
  Deno.test(`extremes: error feedback stands gradients ${name}, or all ranks refuse them alike`, () => {
    takeExtremeSteps(errorFeedback(topK({ k: 2 })), run(draw, { mayRefuse: true }));
  });
}

Deno.test("extremes: what is not finite, not equal or refused is told", () => {
  const method = (body: (gradient: Float32Array, rank: number) => void): Method => ({
    name: "toy",
    options: {},
    init: () => ({ local: {}, shared: {} }),
    *reduce(gradient, _, { rank }) {
      yield* allGather(Uint8Array.of(1));
      body(gradient, rank);
    },
  });
  const ones = run(() => 1),
    refuse = () => {
      throw new RangeError("Cannot take it");
    };
  takeExtremeSteps(method(() => {}), ones);
  assertThrows(
    () => takeExtremeSteps(method((gradient) => gradient[2] = Infinity), ones),
    Error,
    "number 2 of the result",
  );
  assertThrows(() => takeExtremeSteps(method((gradient, rank) => gradient.fill(rank)), ones), Error, "ranks differ");
  assertThrows(() => takeExtremeSteps(method(refuse), ones), Error, "the ranks refuse it: Cannot take it");
  takeExtremeSteps(method(refuse), { ...ones, mayRefuse: true });
  const alone = method((_, rank) => rank === 1 && refuse());
  assertThrows(() => takeExtremeSteps(alone, { ...ones, mayRefuse: true }), Error, "do not refuse it alike");
});
