import { assertEquals, assertStrictEquals } from "@std/assert/mod.js";
import { type State, workspace } from "../../../../optimizers/mod.ts";
import { commit, copyOf, joinStates, partOf } from "../../../../optimizers/methods/parts/inner_method.ts";

const count = 2 ** 53 - 1;

const filled = (): State => ({
  local: { bytes: Uint8Array.of(1, 255), steps: Float64Array.of(count) },
  shared: { numbers: Float32Array.of(.5, -3e38), steps: Float64Array.of(count - 1) },
});

const empty = (): State => ({
  local: { bytes: new Uint8Array(2), steps: new Float64Array(1) },
  shared: { numbers: new Float32Array(2), steps: new Float64Array(1) },
});

Deno.test("a state of numbers, counts and bytes is joined, copied and committed with its types", () => {
  const state = filled(), joined = joinStates({ part: state });
  assertStrictEquals(joined.local["part.steps"], state.local.steps);
  const copy = copyOf(partOf(joined, "part"), workspace(), "copy");
  assertEquals(copy, filled());
  const into = empty();
  commit(copy, into);
  assertEquals(into, filled());
});
