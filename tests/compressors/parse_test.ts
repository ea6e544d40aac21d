import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { type Factories, parse, parseCompressor } from "../../compressors/mod.ts";

const table: Factories<unknown> = { list: (...options: unknown[]) => options, none: () => "none" };

Deno.test("parse reads calls as they are written", () => {
  assertEquals(parse("none", table, "value"), "none");
  assertEquals(parse(" list ( ) ", table, "value"), []);
  assertEquals(
    parse(
      `list(1, -.5e-3, "a b", 'c', true, false, {}, none, {x: {y: list(none(),)}, "z": 2,}, [[1, "a"], [],])`,
      table,
      "value",
    ),
    [
      1,
      -.5e-3,
      "a b",
      "c",
      true,
      false,
      {},
      "none",
      { x: { y: ["none"] }, z: 2 },
      [[1, "a"], []],
    ],
  );
  assertEquals(parseCompressor("identity()").name, "identity");
});

Deno.test("parse says what is wrong and what would do", () => {
  assertThrows(() => parse("nine(1)", table, "value"), RangeError, "there is no nine, expected one of list, none");
  assertThrows(() => parse("toString()", table, "value"), RangeError, "there is no toString");
  for (
    const text of [
      "",
      "list(",
      "list(1 2)",
      "list({a 1})",
      "list() none",
      "list(1.2.3)",
      "list(])",
      "list([1)",
      "3",
      "list(')",
    ]
  ) {
    assertThrows(() => parse(text, table, "value"), Error, "Cannot read value");
  }
});
