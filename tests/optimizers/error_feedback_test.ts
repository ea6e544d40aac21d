import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { type ContractiveCompressor, identity, type UnbiasedCompressor } from "../../compressors/mod.ts";
import { errorFeedback } from "../../optimizers/mod.ts";
import { lockstep, sparsest } from "./lockstep.ts";

// The types carry the theory: what is only unbiased is refused, in the types and at run time; what is both is taken.
const onlyUnbiased = (({ alpha: _alpha, everyDraw: _everyDraw, ...rest }) => rest)(identity());
export const refused = () =>
  errorFeedback(
    // @ts-expect-error an unbiased compressor has no alpha
    onlyUnbiased satisfies UnbiasedCompressor,
  );
export const accepted: () => unknown = () => errorFeedback(identity() as UnbiasedCompressor & ContractiveCompressor);

Deno.test("errorFeedback refuses a compressor that is not contractive, and a delay that is no count", () => {
  assertThrows(refused, TypeError, "identity() is not contractive");
  assertThrows(() => errorFeedback(identity(), { delay: .5 }), RangeError, "delay is 0.5");
});

Deno.test("errorFeedback's virtual iterate x − γ mean e moves by −γ mean g, also when the learning rate changes", () => {
  for (const delay of [0, 2]) {
    const run = lockstep(errorFeedback(sparsest(), { delay }), { ranks: 3, size: 5 });
    const total = new Float64Array(5), applied = new Float64Array(5);
    let last = 0;
    for (let t = 0; t < 40; t++) {
      const rate = t < 10 ? .1 : t < 20 ? .01 : t % 3 === 0 ? 0 : .02;
      run.gradients.forEach((g) => g.forEach((v, j) => total[j]! += rate * v / 3));
      const estimate = run.step({ learningRate: rate });
      estimate.forEach((v, j) => applied[j]! += rate * v);
      if (rate > 0) last = rate;
      for (let j = 0; j < 5; j++) {
        let kept = run.states.reduce((sum, { local }) => sum + local.error[j]! / 3, 0);
        for (let d = 0; d < delay; d++) kept += run.states[0]!.shared.pending[d * 5 + j]!;
        assertAlmostEquals(applied[j]! + last * kept, total[j]!, 1e-6);
      }
    }
    assert(applied.some((v) => v !== 0));
  }
});

Deno.test("errorFeedback applies a step's messages τ steps later", () => {
  const now = lockstep(errorFeedback(sparsest()), { ranks: 2, size: 4 });
  const later = lockstep(errorFeedback(sparsest(), { delay: 3 }), { ranks: 2, size: 4 });
  const plain = Array.from({ length: 9 }, () => now.step()), delayed = Array.from({ length: 9 }, () => later.step());
  assertEquals(delayed.slice(0, 3), [0, 1, 2].map(() => new Float32Array(4)));
  assertEquals(delayed.slice(3), plain.slice(0, 6));
});
