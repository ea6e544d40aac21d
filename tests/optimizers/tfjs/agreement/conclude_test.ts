import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { conclude, concludeAndCompare } from "../../../../optimizers/tfjs/agreement/conclude.ts";
import type { Objection } from "../../../../optimizers/tfjs/agreement/vote.ts";
import { runTogether } from "../../../../transport/mod.ts";

const objection: Objection = { kind: "found", what: "something" };

Deno.test("conclude: all apply the step, or all hear who objects", () => {
  const applied: number[] = [], aborted: Error[] = [];
  const end = (objections: (Objection | undefined)[], apply: (rank: number) => void = (rank) => applied.push(rank)) =>
    runTogether(objections.map((objection, rank) => {
      return conclude(objection, () => apply(rank), (reason) => void aborted.push(reason));
    }));
  assertEquals(end([undefined, undefined]), [{ votes: undefined }, { votes: undefined }]);
  assertEquals(applied.splice(0), [0, 1]);
  for (const { votes } of end([undefined, objection])) assertEquals(votes, [undefined, objection]);
  assertEquals(applied, [0]); // to be taken back by the caller
  const fail = (rank: number) => {
    if (rank === 1) throw new RangeError("mine");
  };
  // The rank has voted for the step: it cannot go on with the others.
  assertThrows(() => end([undefined, undefined], fail), RangeError, "mine");
  assertEquals(aborted.map(({ message }) => message), ["mine"]);
  // Where another rank objects, nothing is lost by the failure.
  for (const { votes } of end([objection, undefined], fail)) assertEquals(votes, [objection, undefined]);
  assertEquals(aborted.length, 1);
});

Deno.test("concludeAndCompare: replicas that differ are told, and a rank that fails is heard", () => {
  const end = (...variables: (string | Error)[]) =>
    runTogether(variables.map((variable) =>
      concludeAndCompare(4, () => {
        if (variable instanceof Error) throw variable;
        return { variable: ["same", variable], slot: {}, state: {} };
      }, ["a", "b"])
    ));
  assertEquals(end("x", "x"), [{ votes: undefined }, { votes: undefined }]);
  assertThrows(
    () => end("x", "y"),
    Error,
    'Cannot take step 4: variable 1 (b) differs: rank 0 has "x", rank 1 has "y"',
  );
  const error = new Error("mine"), [first, second] = end("x", error), failed = { kind: "failed", what: "mine" };
  assertEquals([first!.votes, second!.votes], [[undefined, failed], [undefined, failed]] as never);
  assertEquals([first!.error, second!.error], [undefined, error]);
});
