import { assertEquals } from "@std/assert/mod.js";
import { hasConnected, noteConnected, place, setPlace } from "../../transport/place.ts";

Deno.test("place: a worker has the place that it was told, and knows whether it has connected", async () => {
  assertEquals([place(), hasConnected()], [undefined, false]);
  const mine = { rank: 1, size: 2, args: ["a"], meeting: { transport: "broadcast" } };
  setPlace(mine), noteConnected();
  assertEquals([place(), hasConnected()], [mine, true]);
  // Another copy of the library, as under another URL, finds the same place.
  const copy = await import(`${import.meta.resolve("../../transport/place.ts")}?copy`);
  assertEquals([copy.place(), copy.hasConnected()], [mine, true]);
});
