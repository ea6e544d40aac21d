import { assert, assertEquals } from "@std/assert/mod.js";
import { makeMethod } from "../../../examples/digits/digits_options.ts";
import { CONTESTANTS, FLOATS } from "../../../examples/digits/runs.ts";

Deno.test("every method that is compared can be made, and stands below 32-bit floats", () => {
  assertEquals(CONTESTANTS[0]!.name, FLOATS);
  for (const { name, settings, isInPicture, optimizer } of CONTESTANTS) {
    assert(settings.length > 0 && (!isInPicture || optimizer === "adam"), name);
    for (const [, method] of settings) makeMethod({ method });
  }
});
