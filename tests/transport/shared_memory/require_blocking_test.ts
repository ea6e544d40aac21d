import { assertThrows } from "@std/assert/mod.js";
import { requireBlocking } from "../../../transport/shared_memory/require_blocking.ts";

Deno.test("a thread that must not block is told what to do instead; one that may is not", () => {
  const { wait } = Atomics;
  requireBlocking();
  try {
    Atomics.wait = () => {
      throw new TypeError("Atomics.wait cannot be called in this context");
    };
    assertThrows(requireBlocking, TypeError, "train in a Worker, or use minimizeAsync with an awaited group");
  } finally {
    Atomics.wait = wait;
  }
});
