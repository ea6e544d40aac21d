import { assertThrows } from "@std/assert/mod.js";
import { compareFacts } from "../../../../optimizers/tfjs/agreement/compare.ts";
import { dataKey } from "../../../../optimizers/tfjs/agreement/sharded.ts";
import { allGather, runTogether } from "../../../../transport/mod.ts";

const compare = (...facts: Record<string, unknown>[]) =>
  runTogether(facts.map((facts) => compareFacts("go on", facts, "do something about it")));

Deno.test("compareFacts: equal facts pass; a difference is told with the ranks, the values and what to do", () => {
  compare({ a: 1, b: [2] }, { b: [2], a: 1 });
  assertThrows(
    () => compare({ a: 1 }, { a: 1 }, { a: 2 }),
    Error,
    "Cannot go on: a differs: ranks 0, 1 have 1, rank 2 has 2. Do something about it",
  );
  assertThrows(() => compare({ [dataKey]: "x" }, { [dataKey]: "y" }), Error, '"y". Shard shuffles by itself');
});

Deno.test("compareFacts: a rank in another call is told by name", () => {
  const other = (function* () {
    yield* allGather(new TextEncoder().encode('["GWrejoin",{}]'));
  })();
  assertThrows(
    () => runTogether([compareFacts("go on", { call: "averageState" }), other]),
    Error,
    "Cannot go on: rank 0 is in averageState, rank 1 is in rejoin. All ranks must make the same calls",
  );
});
