import { assert, assertThrows } from "@std/assert/mod.js";
import { diana, logistic, marina, minimise, ridge, type Rows, vrDiana } from "../../../../optimizers/mod.ts";
import { key, normal } from "../../../../random.ts";
import { rand } from "../../lockstep.ts";

/** 5 ranks with 8 terms each, 10 parameters, labels that no x fits. */
const ranks = 5, terms = 8, size = 10;
const draws = normal(key(3), new Float32Array(ranks * terms * (size + 1)));
const rows: Rows = {
  features: size,
  labels: Float64Array.from({ length: ranks * terms }, (_, i) => 3 * draws[i * (size + 1)]!),
  starts: Uint32Array.from({ length: ranks * terms + 1 }, (_, i) => i * size),
  indices: Uint32Array.from({ length: ranks * terms * size }, (_, e) => e % size),
  values: Float64Array.from(
    { length: ranks * terms * size },
    (_, e) => draws[Math.floor(e / size) * (size + 1) + 1 + e % size]! * (e % 3 + 1) / 3,
  ),
};
const problem = ridge(rows, { ranks, lambda: .1 });
const run = { batch: 1, error: 1e-10, every: 1000 };

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

Deno.test("marina reaches the optimum from single terms if its uncompressed rounds take all of them", () => {
  const omega = 4,
    options = { ...run, rounds: 20000, step: .03 },
    probability = Math.min(1 / (1 + omega), 1 / (1 + terms));
  const all = minimise(problem, marina(rand(2), { dense: "all", probability }), options);
  assert(all.reached, `${all.error}`);
  const batch = minimise(problem, marina(rand(2), { probability }), { ...options, rounds: 6000 });
  assert(!batch.reached && batch.error > 1e-5, `${batch.error}`);
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
