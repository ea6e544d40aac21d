import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { parseReducer } from "../../../optimizers/mod.ts";

Deno.test("methods are read with their compressors", () => {
  assertEquals(parseReducer(" average ").name, "average");
  const { name, options } = parseReducer("diana(identity, { shiftStep: .5 })");
  assertEquals([name, (options.compressor as { name: string }).name, options.shiftStep], ["diana", "identity", .5]);
});

Deno.test("what is no method is refused with the list of methods", () => {
  assertThrows(() => parseReducer("adam"), RangeError, "there is no adam, expected one of adiana, average");
  assertThrows(
    () => parseReducer("identity"),
    TypeError,
    "identity is a compressor, expected one of errorFeedback(ide",
  );
  assertThrows(() => parseReducer("diana("), SyntaxError, "Cannot read method");
  assertThrows(() => parseReducer(""), SyntaxError, "expected a name");
});
