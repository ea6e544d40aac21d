import { assertEquals, assertStrictEquals } from "@std/assert/mod.js";
import { TransportError } from "../../transport/mod.ts";
import { lossOf } from "../../transport/transport.ts";

Deno.test("a TransportError has its name, its cause and the rank to blame, where there is one", () => {
  const cause = new Error("cause"), error = new TransportError("gone", { rank: 0, cause });
  assertEquals([error.name, error.message, error.rank, error.cause], ["TransportError", "gone", 0, cause]);
  const bare = new TransportError("gone");
  assertEquals([bare.rank, "cause" in bare], [undefined, false]);
});

Deno.test("a rank that gives up blames whom its reason names, and else itself", () => {
  const named = new TransportError("gone", { rank: 2 }), other = new RangeError("no space");
  assertStrictEquals(lossOf(named, 1), named);
  const { rank, message, cause } = lossOf(other, 1);
  assertEquals([rank, message, cause], [1, "no space", other]);
  assertEquals(lossOf(new TransportError("gone"), 1).rank, 1);
});
