import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { type ContractiveCompressor, identity } from "../../../../compressors/mod.ts";
import { average, diana, minimise } from "../../../../optimizers/mod.ts";
import { anyOne, lockstep, sparsest } from "../../lockstep.ts";
import { mini } from "../../problems.ts";

export const refused = () =>
  diana(
    // @ts-expect-error a contractive compressor has no omega
    sparsest() satisfies ContractiveCompressor,
  );

Deno.test("diana refuses a compressor that is not unbiased, and a shift step that is not positive", () => {
  assertThrows(refused, TypeError, "top({ k: 1 }) is not unbiased");
  assertThrows(() => diana(identity(), { shiftStep: 0 }), RangeError, "shiftStep is 0, expected a number > 0");
});

Deno.test("diana with ω = 0 is gradient descent", () => {
  const one = minimise(mini, average(), { rounds: 40, step: .2 }),
    two = minimise(mini, diana(identity()), { rounds: 40, step: .2 });
  two.parameters.forEach((v, j) => assertAlmostEquals(v, one.parameters[j]!, 1e-6));
});

Deno.test("diana reaches the exact optimum where compressed gradient descent stalls, and its shifts learn the gradients", () => {
  const { reached, round } = minimise(mini, diana(anyOne()), { rounds: 700, error: 1e-10 });
  assert(reached, `${round} rounds`);
  const stalled = minimise(mini, average(anyOne()), { rounds: 700, error: 1e-4, step: .1 });
  assert(!stalled.reached);

  const run = lockstep(diana(anyOne()), { ranks: 3, size: 3 });
  const at = Float32Array.from(mini.minimiser);
  for (let t = 0; t < 400; t++) {
    run.gradients.forEach((gradient, rank) => mini.gradient(rank, at, gradient));
    run.step();
  }
  run.states.forEach(({ local, shared }, rank) => {
    const gradient = new Float32Array(3);
    mini.gradient(rank, at, gradient);
    gradient.forEach((v, j) => assertAlmostEquals(local.shift[j]!, v, 1e-5));
    assertEquals(shared, run.states[0]!.shared);
  });
});

Deno.test("diana's shifts diverge beyond 2/(1 + ω)", () => {
  assert(minimise(mini, diana(anyOne(), { shiftStep: 1 }), { rounds: 80, step: .05 }).error > 1e3);
});
