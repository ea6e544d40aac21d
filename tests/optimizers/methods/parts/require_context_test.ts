import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert/mod.js";
import { requireParameters, requireRate } from "../../../../optimizers/methods/parts/require_context.ts";
import { type Context, context, workspace } from "../../../../optimizers/mod.ts";

const layout = { names: ["x"], shapes: [[1]], size: 1 };
const now = (more: Partial<Context>) =>
  context({ seed: 1, step: 0, rank: 0, size: 1, layout, workspace: workspace(), ...more });

Deno.test("parameters and learning rate are the context's, or their absence is refused by the method's name", () => {
  const parameters = Float32Array.of(1);
  assertStrictEquals(requireParameters("x", now({ parameters })), parameters);
  assertThrows(() => requireParameters("x", now({})), TypeError, "a step of x: the context has no parameters");
  assertEquals([.1, 0, 2 ** -150, 1e-300].map((learningRate) => requireRate("x", now({ learningRate }))), [
    .1,
    0,
    0,
    0,
  ]);
  assertThrows(() => requireRate("x", now({})), TypeError, "a step of x: the context has no learning rate");
  assertThrows(() => requireRate("x", now({ learningRate: 1e39 })), RangeError, "the learning rate is 1e+39");
});
