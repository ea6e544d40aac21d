import { assertEquals } from "@std/assert/mod.js";
import { failureOf } from "../../../transport/launch/failure.ts";
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
