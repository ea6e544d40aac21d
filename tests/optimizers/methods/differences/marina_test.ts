import { problem, run, terms } from "./single_terms.ts";
import { assert } from "@std/assert/mod.js";
import { marina, minimise } from "../../../../optimizers/mod.ts";
import { rand } from "../../lockstep.ts";

Deno.test("marina reaches the optimum from single terms if its uncompressed rounds take all of them", () => {
  const omega = 4,
    options = { ...run, rounds: 20000, step: .03 },
    probability = Math.min(1 / (1 + omega), 1 / (1 + terms));
  const all = minimise(problem, marina(rand(2), { dense: "all", probability }), options);
  assert(all.reached, `${all.error}`);
  const batch = minimise(problem, marina(rand(2), { probability }), { ...options, rounds: 6000 });
  assert(!batch.reached && batch.error > 1e-5, `${batch.error}`);
});
