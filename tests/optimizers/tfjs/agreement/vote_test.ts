import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  commonError,
  encodeObjection,
  mayBeSkipped,
  type Objection,
  objectionsIn,
  refusal,
  tellingOthers,
  watch,
} from "../../../../optimizers/tfjs/agreement/vote.ts";
import { NotFiniteError } from "../../../../optimizers/methods/parts/finite.ts";
import { allGather, allReduce, type Exchange, runTogether } from "../../../../transport/mod.ts";

const failed: Objection = { kind: "failed", what: "mine" }, found: Objection = { kind: "found", what: "x" };

Deno.test("objections are read as they were written, up to 1000 bytes; other messages are none", () => {
  for (const objection of [failed, found, { kind: "brought", what: "ω" } as const]) {
    assertEquals(objectionsIn([new Uint8Array(0), encodeObjection(objection)]), [undefined, objection]);
  }
  assertEquals(objectionsIn([encodeObjection({ kind: "failed", what: "a".repeat(2000) })])![0]!.what.length, 1000);
  assertEquals(
    objectionsIn([new Uint8Array(0), new Uint8Array(40), encodeObjection(failed).subarray(0, 16)]),
    undefined,
  );
});

Deno.test("tellingOthers: a rank that fails alone is heard by the others in their next round", () => {
  const told: string[] = [];
  const part = (rank: number, error: Error): Exchange =>
    tellingOthers(
      (function* () {
        yield* allGather(Uint8Array.of(rank));
        if (rank === 1) throw error;
        yield* allGather(Uint8Array.of(rank));
      })(),
      (votes) => {
        told.push(votes[1]!.what);
        return new Error("refused");
      },
    );
  assertThrows(() => runTogether([0, 1, 2].map((rank) => part(rank, new Error("mine")))), Error, "refused");
  assertEquals(told, ["mine"]); // rank 0 throws first and ends the run
  // What all ranks throw alike is told to nobody.
  assertThrows(() => runTogether([part(1, commonError(new Error("all")))]), Error, "all");
});

Deno.test("watch: what is handed into a sum must be finite, and a rank that fails says why", () => {
  const run = (body: (rank: number) => Exchange, brings = () => undefined as string | undefined) =>
    runTogether([0, 1].map((rank) => watch(body(rank), "probe", rank, brings)));
  const sum = (rank: number) => allReduce(Float32Array.of(rank === 1 ? NaN : 1));
  assertEquals(run(sum), [{ objection: undefined }, {
    objection: { kind: "brought", what: "what probe hands into a sum" },
  }]);
  const errors = [
    new Error("mine"),
    new NotFiniteError("probe", "why", "it", 1),
    new NotFiniteError("probe", "why", "it"),
  ];
  const says = errors.map((error) => {
    const fail = function* (rank: number): Exchange {
      if (rank === 1) throw error;
      yield* allGather(new Uint8Array(0));
    };
    const [first, second] = run(fail);
    assertEquals([first!.votes, second!.error], [second!.votes, error]);
    return first!.votes![1];
  });
  assertEquals(says, [failed, { kind: "brought", what: "it in probe" }, { kind: "found", what: "it in probe" }]);
  const [{ votes }] = run(function* (rank) {
    if (rank === 1) throw errors[0];
    yield* allGather(new Uint8Array(0));
  }, () => "the gradient") as [{ votes: Objection[] }];
  assertEquals(votes[1], { kind: "brought", what: "the gradient" });
});

Deno.test("refusal: a failure before what was brought before what was found, with the ranks", () => {
  const text = (...votes: (Objection | undefined)[]) => refusal(3, votes, "probe").message;
  const brought: Objection = { kind: "brought", what: "g" };
  assertEquals(text(found, brought, failed), "Cannot take step 3: rank 2 failed: mine");
  assert(text(found, brought).startsWith("Cannot take step 3: g on rank 1 is not finite. Lower the learning rate"));
  assert(text(undefined, found, undefined).startsWith("Cannot take step 3: x is not finite on rank 1, although"));
  assert(text(undefined, found, found).includes("on ranks 1, 2, although") && text(found).includes("on all ranks"));
  assert(mayBeSkipped([found, brought, undefined]) && !mayBeSkipped([found, failed]));
});
