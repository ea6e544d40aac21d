import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { readOptions, wholeNumber } from "../../../examples/terminal/program.ts";

const none: readonly string[] = [];
const read = (...args: string[]) =>
  readOptions(args, { size: "3", out: undefined, name: none }, ["quick", "no-search"]);

Deno.test("options are as given, else by default", () => {
  const usual = { size: "3", out: undefined, name: [], quick: false, "no-search": false, help: false };
  assertEquals(read(), usual);
  assertEquals(read("--size", "4", "--name", "a", "--name=b", "--quick", "--no-search", "--out", "x"), {
    ...usual,
    ...{ size: "4", name: ["a", "b"], quick: true, "no-search": true, out: "x" },
  });
});

Deno.test("unknown options and numbers that are none are refused", () => {
  const expected = "Cannot read option --sise: expected one of --size, --out, --name, --quick, --no-search, --help";
  assertThrows(() => read("--sise", "3"), RangeError, expected);
  assertThrows(() => read("size"), RangeError, "Cannot read option size");
  assertEquals(wholeNumber("seed", "0", 0), 0);
  for (const text of ["0", "1.5", "-1", "many", ""]) {
    assertThrows(
      () => wholeNumber("size", text),
      RangeError,
      `Cannot read --size ${text}: expected a whole number from 1`,
    );
  }
});
