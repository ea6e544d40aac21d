import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { parseMethod } from "../../../optimizers/mod.ts";

Deno.test("methods are read with their compressors", () => {
  assertEquals(parseMethod(" average ").name, "average");
  const { name, options } = parseMethod("diana(identity, { shiftStep: .5 })");
  assertEquals([name, (options.compressor as { name: string }).name, options.shiftStep], ["diana", "identity", .5]);
});

Deno.test("what is no method is refused with the list of methods", () => {
  assertThrows(() => parseMethod("adam"), RangeError, "there is no adam, expected one of adiana, average");
  assertThrows(
    () => parseMethod("identity"),
    TypeError,
    "identity is a compressor, expected one of errorFeedback(ide",
  );
  assertThrows(() => parseMethod("diana("), SyntaxError, "Cannot read method");
  assertThrows(() => parseMethod(""), SyntaxError, "expected a name");
});
