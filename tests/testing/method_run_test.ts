import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { identity, topK } from "../../compressors/mod.ts";
import { average, errorFeedback, type Method } from "../../optimizers/mod.ts";
import { Interruption, MethodRun } from "../../testing/method_run.ts";
import { requireSame } from "../../testing/states.ts";

const layout = { names: ["w"], shapes: [[6]], size: 6 }, options = { ranks: 3, layout, seed: 1, rate: .1 };

Deno.test("MethodRun: full gradients lead to the optimum, and none leads nowhere", () => {
  const run = new MethodRun(average(), { ...options, gradients: "full" }), start = run.distance;
  for (let step = 0; step < 200; step++) run.step();
  assert(run.distance < 1e-9 * start, `${run.distance} of ${start}`);
  const idle = new MethodRun(average(), { ...options, gradients: "zero" });
  idle.step();
  assertEquals(idle.parameters[0], new Float32Array(6));
});

Deno.test("MethodRun: goes on from another run's state, which a round that fails leaves as it was", () => {
  const method = errorFeedback(topK({ k: 2 })), one = new MethodRun(method, options);
  one.step();
  assertEquals(one.performed, 1);
  const other = new MethodRun(method, { ...options, from: one });
  assertThrows(() => other.step(0), Interruption);
  other.step(), one.step();
  for (const rank of [0, 1, 2]) requireSame(one.parameters[rank]!, other.parameters[rank]!, "parameters");
});

Deno.test("MethodRun: refuses results that are not finite, and parameters that were changed", () => {
  const spoilt = (spoil: (gradient: Float32Array, parameters: Float32Array) => void): Method => ({
    ...average(identity()),
    // deno-lint-ignore require-yield -- a method that exchanges nothing
    *reduce(gradient, _, { parameters }) {
      spoil(gradient, parameters!);
    },
  });
  const step = (method: Method) => () => new MethodRun(method, options).step();
  assertThrows(step(spoilt((gradient) => gradient[1] = NaN)), Error, "step 0: number 1 of the result is NaN");
  assertThrows(step(spoilt((_, parameters) => parameters[1] = 7)), Error, "the parameters that rank 0 was given");
});
