import { problem, ranks, rows, run, terms } from "./single_terms.ts";
import { assert, assertThrows } from "@std/assert/mod.js";
import { diana, logistic, minimise, vrDiana } from "../../../../optimizers/mod.ts";
import { rand } from "../../lockstep.ts";

Deno.test("vrDiana reaches the optimum from single terms, where DIANA stops at the noise of SGD", () => {
  const compressor = rand(2), stops = minimise(problem, diana(compressor), { ...run, rounds: 6000, step: .004 });
  assert(!stops.reached && stops.error > 1e-4, `${stops.error}`);
  for (const form of ["loopless", "table"] as const) {
    const { reached, error, round } = minimise(problem, vrDiana(compressor, { terms, form }), {
      ...run,
      rounds: 30000,
      multiplier: 10,
    });
    assert(reached, `${form}: ${error} after ${round} rounds`);
  }
});

Deno.test("vrDiana on logistic regression", () => {
  const method = vrDiana(rand(5), { terms });
  const signs = { ...rows, labels: rows.labels.map(Math.sign) };
  assert(minimise(logistic(signs, { ranks, lambda: .1 }), method, { ...run, rounds: 20000, multiplier: 5 }).reached);
});

Deno.test("vrDiana checks its options", () => {
  assertThrows(() => vrDiana(rand(1), { terms: 0 }), RangeError, "terms is 0, expected an integer ≥ 1");
  assertThrows(() => vrDiana(rand(1), { terms: 2, refresh: 1.5 }), RangeError, "refresh is 1.5");
  assertThrows(
    () => vrDiana(rand(1), { terms: 2, form: "loop" as never }),
    TypeError,
    'form is "loop", expected one of loopless, table',
  );
});
