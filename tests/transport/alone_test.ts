import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert/mod.js";
import { alone, TransportError } from "../../transport/mod.ts";

Deno.test("a group of one answers every round from what it is given, without a copy", () => {
  using group = alone();
  const message = Uint8Array.of(1, 2), messages = [message], vector = Float32Array.of(3);
  assertStrictEquals(group.perform({ op: "allGather", message })[0], message);
  assertStrictEquals(group.perform({ op: "allToAll", messages })[0], message);
  assertStrictEquals(group.perform({ op: "broadcast", root: 0, message })[0], message);
  assertEquals([group.perform({ op: "allReduce", vector }), vector[0]], [[], 3]);
  assertEquals(group.traffic, { rounds: 4, encodedBytes: 10, sentBytes: 0, receivedBytes: 0 });
  assertThrows(
    () => group.perform({ op: "broadcast", root: 1, message }),
    RangeError,
    "root is 1, expected a rank below 1",
  );
});

Deno.test("a group of one can be ended with a reason, too", () => {
  using group = alone();
  group.abort!(new Error("no space"));
  group.abort!(new Error("another reason"));
  assertThrows(() => group.perform({ op: "allGather", message: new Uint8Array(0) }), TransportError, "no space");
});
