import { assertEquals } from "@std/assert/mod.js";
import { type End, failureOf, together } from "../../../transport/launch/failure.ts";
import { TransportError } from "../../../transport/mod.ts";

Deno.test("launch failure: a lost rank is known from the error itself or from what caused it, however deep", () => {
  const lost = new TransportError("Cannot finish round 3", { rank: 2 });
  const training = new Error("training failed", { cause: lost }), script = new TypeError("script", { cause: training });
  for (const error of [lost, training, script]) {
    assertEquals([failureOf(error).lost, failureOf(error).message], [2, error.message]);
  }
  assertEquals(failureOf(new TransportError("Cannot go on")).lost, -1);
  assertEquals(failureOf(new Error("of its own", { cause: new RangeError("too") })).lost, undefined);
  assertEquals(failureOf("no error at all").lost, undefined);
});

Deno.test("launch failure: causes that go in a circle end", () => {
  const error = new Error("one");
  error.cause = new Error("other", { cause: error });
  assertEquals(failureOf(error).lost, undefined);
});

Deno.test("blame: who failed first, whoever says so first", async () => {
  const ok = (rank: number): End => ({ rank, code: 0 }),
    fails = (rank: number): End => ({ rank, code: 3, why: "fails" });
  const reports = (rank: number, lost: number): End => ({ rank, code: 1, why: "failed: TransportError: …", lost });
  const later = (end: End, ms = 50) => new Promise<End>((resolve) => setTimeout(() => resolve(end), ms));
  const blame = async (...ends: (End | Promise<End>)[]) => {
    const { rank, message } = await together(ends.map((end) => Promise.resolve(end))) ?? { message: "none" };
    return [rank, message];
  };
  assertEquals(await blame(ok(0), ok(1)), [undefined, "none"]);
  assertEquals(await blame(ok(0), fails(1)), [1, "Cannot go on: rank 1 fails"]);
  assertEquals(await blame(reports(0, 1), later(fails(1))), [1, "Cannot go on: rank 1 fails"]);
  assertEquals(await blame(reports(0, 1), later(fails(2), 20), new Promise(() => {})), [
    2,
    "Cannot go on: rank 2 fails",
  ]);
  const short = "Cannot go on: rank 1 ended before the others: rank 0 failed: TransportError: …";
  assertEquals(await blame(reports(0, 1), later(ok(1)), new Promise(() => {})), [1, short]);
  assertEquals(await blame(reports(0, 7)), [7, "Cannot go on: rank 7 is lost: rank 0 failed: TransportError: …"]);
  assertEquals(await blame(reports(0, -1)), [0, "Cannot go on: rank 0 failed: TransportError: …"]);
});

Deno.test("blame: an error that a lost rank has caused says which one, however deep", () => {
  const lost = new TransportError("gone", { rank: 3 }), wrapped = new Error("training", { cause: lost });
  for (const error of [lost, wrapped, new Error("main", { cause: wrapped })]) assertEquals(failureOf(error).lost, 3);
  assertEquals(failureOf(new TransportError("gone")).lost, -1);
  assertEquals(failureOf(new Error("rank 3")).lost, undefined);
  assertEquals(failureOf({ code: 7 }), { name: "Error", message: "{ code: 7 }", stack: "", lost: undefined });
});
