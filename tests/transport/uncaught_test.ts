import { assert, assertEquals } from "@std/assert/mod.js";
import { onUncaught } from "../../transport/uncaught.ts";

Deno.test("uncaught: what a listener handles that was added later is none; the rest is told to all", () => {
  const told: unknown[] = [], stops = [1, 2].map((i) => onUncaught((error) => (told.push([i, error]), i === 2)));
  const fire = () => globalThis.dispatchEvent(new ErrorEvent("error", { error: "e", cancelable: true }));
  assertEquals([fire(), told], [false, [[1, "e"], [2, "e"]]]);
  const rejected = new PromiseRejectionEvent("unhandledrejection", {
    promise: Promise.resolve(),
    reason: "r",
    cancelable: true,
  });
  assertEquals([globalThis.dispatchEvent(rejected), told.splice(2)], [false, [[1, "r"], [2, "r"]]]);
  const handle = (event: Event) => event.preventDefault();
  addEventListener("error", handle);
  assertEquals([fire(), told.length], [false, 2]);
  removeEventListener("error", handle);
  stops[1]!();
  assertEquals([fire(), told.length], [true, 3]);
  globalThis.dispatchEvent(new Event("other"));
  stops[0]!();
  fire();
  assertEquals(told.length, 3);
  assert(!Object.hasOwn(globalThis, "dispatchEvent"));
});
