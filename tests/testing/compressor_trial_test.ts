import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { identity, topK } from "../../compressors/mod.ts";
import { compressorTrial } from "../../testing/compressor_trial.ts";

Deno.test("a trial: sizes, constants and names follow from the compressor and the options", () => {
  const trial = compressorTrial(topK({ k: 1 }), { sizes: [0, 4, 100] });
  assertEquals([trial.lawSizes, trial.declared(4), trial.slack, trial.draws], [[4], .75, 1e-6, 2000]);
  assertEquals(compressorTrial(topK({ k: 1 }), { sizes: [0, 100, 200] }).lawSizes, [100]);
  assertEquals([...trial.cases(["oneHot"], [4])].map(([label, { length }]) => [label, length]), [["oneHot of 4", 4]]);
  assertEquals(trial.property("holds", () => {}).name, "topK({ k: 1 }): holds");
  assertThrows(() => void trial.property("draws", () => void Math.random()).check(), Error, "Math.random was called");
});

Deno.test("a trial: the law is measured once, in a single draw where all draws are the same", () => {
  let encoded = 0;
  const counted = {
    ...identity(),
    encode: (...args: Parameters<ReturnType<typeof identity>["encode"]>) => {
      encoded++;
      return identity().encode(...args);
    },
  };
  const trial = compressorTrial(counted, { sizes: [1, 4], kinds: ["gaussian", "zeros"], draws: 100 });
  assertEquals(encoded, 0);
  const laws = trial.laws(), after = encoded;
  assertEquals(laws.map(([label, , { draws }]) => [label, draws]), [["gaussian of 1", 1], ["gaussian of 4", 1]]);
  assert(trial.laws() === laws && encoded === after && after <= 66);
});
