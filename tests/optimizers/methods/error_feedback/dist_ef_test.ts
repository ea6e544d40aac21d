import { conserves, ranks, size } from "./conserves.ts";
import { distEf } from "../../../../optimizers/mod.ts";
import { sparsest } from "../../lockstep.ts";

Deno.test("distEf's virtual iterate moves by −γ mean(μ m + g), or −γ mean m with the heavy ball", () => {
  for (const nesterov of [true, false]) {
    const m = Array.from({ length: ranks }, () => new Float64Array(size));
    conserves(distEf(sparsest(), { momentum: .9, nesterov }), (gradient, rank) =>
      gradient.map((g, j) => {
        m[rank]![j] = .9 * m[rank]![j]! + g;
        return nesterov ? .9 * m[rank]![j]! + g : m[rank]![j]!;
      }));
  }
});
