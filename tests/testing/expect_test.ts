import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import { ends, expect, lost, pattern, rejects } from "../../testing/expect.ts";
import { TransportError } from "../../transport/mod.ts";

const never = new Promise<never>(() => {});

Deno.test("expect: says what was expected; patterns follow from length and seed", () => {
  expect(true, "nothing");
  assertThrows(() => expect(false, "rank 1"), Error, "Expected rank 1");
  assertEquals(pattern(9, 1), pattern(10, 1).subarray(0, 9));
  assertNotEquals(pattern(9, 1), pattern(9, 2));
});

Deno.test("expect: a rejection, in time, that names a rank", async () => {
  assertEquals(await rejects(Promise.reject("why"), "work", 1000), "why");
  await assertRejects(
    () => rejects(Promise.resolve(), "work", 1000),
    Error,
    "Expected work to reject, received success",
  );
  await assertRejects(() => rejects(never, "work", 1), Error, "received nothing for 1 ms");
  await lost(Promise.reject(new TransportError("gone", { rank: 1 })), 1, 1000);
  await lost(Promise.reject(new TransportError("gone")), undefined, 1000);
  await assertRejects(() => lost(Promise.reject(new Error("gone")), 1, 1000), Error, "Expected a TransportError");
  await assertRejects(
    () => lost(Promise.reject(new TransportError("gone", { rank: 2 })), 1, 1000),
    Error,
    "received 2",
  );
});

Deno.test("expect: an end, in time", async () => {
  await ends(Promise.resolve(), 1000);
  await assertRejects(() => ends(Promise.reject(new Error("why")), 1000), Error, "why");
  await assertRejects(() => ends(never, 1), Error, "Expected an end, received nothing for 1 ms");
});
