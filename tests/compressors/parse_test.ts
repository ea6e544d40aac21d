import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { type Factories, parse, parseCompressor, topK } from "../../compressors/mod.ts";

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

Deno.test("parse names the factory that was meant, where one letter or two are wrong", () => {
  for (
    const [written, meant] of [["topk", "topK"], ["TopK({ k: 3 })", "topK"], ["ransK", "randK"], [
      "qsdg",
      "qsgd",
    ]] as const
  ) {
    assertThrows(() => parseCompressor(written), RangeError, `: was ${meant} meant?`);
  }
  const { message } = assertThrows(() => parseCompressor("entirelyElse"), RangeError);
  assert(!message.includes("meant"), message);
});

Deno.test("parse takes no text that is too deep, none that is no text, and no prototype", () => {
  assertThrows(() => parseCompressor("contractive(".repeat(20_000)), SyntaxError, "at most 64 brackets");
  assertThrows(() => parse(`list(${"[".repeat(65)}`, table, "value"), SyntaxError, "at most 64 brackets");
  assertEquals(JSON.stringify(parse(`list(${"[".repeat(63)}${"]".repeat(63)})`, table, "value")).length, 128);
  assertThrows(() => parseCompressor(topK as unknown as string), TypeError, "the text is the function topK");
  const [made] = parse("list({ __proto__: { k: 3 } })", table, "value") as [object];
  assertEquals([Object.getPrototypeOf(made), Object.keys(made)], [Object.prototype, ["__proto__"]]);
});
