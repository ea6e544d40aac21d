import { assertEquals } from "@std/assert/mod.js";
import { faultsOf, readLists } from "./lists.ts";
import { filesOf } from "./tree.ts";

// `deno task mutants` takes too long for every day. This keeps its lists in step with the code meanwhile.
Deno.test("mutants: each finds its text once, in a file that is there, and names tests that are there", async () => {
  const root = new URL("../../../", import.meta.url);
  const lists = await readLists(new URL("../", import.meta.url), await filesOf(root.pathname));
  assertEquals(await faultsOf(lists, root), []);
});
