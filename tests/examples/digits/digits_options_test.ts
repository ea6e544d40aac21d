import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { makeMethod } from "../../../examples/digits/digits_options.ts";

const made = (method: string, compressor?: string) => makeMethod({ method, ...compressor && { compressor } });

Deno.test("a method is made by its name and a compressor, or as a call", () => {
  assertEquals(made("errorFeedback").name, "errorFeedback");
  assertEquals(made("diana", "randK({ ratio: 0.1 })").name, "diana");
  assertEquals(made("ef21(topK({ k: 9 }))").name, "ef21");
  // An unbiased compressor is made contractive for error feedback.
  assertEquals(made("errorFeedback", "randK({ ratio: 0.1 })").name, "errorFeedback");
});

Deno.test("what does not fit together is refused with the reason", () => {
  assertThrows(() => made("diana", "topK({ k: 9 })"), TypeError, "it is biased");
  assertThrows(() => made("errorFeedback", "ternGrad({ clip: 2.5 })"), TypeError, "declares neither α nor ω");
  assertThrows(() => made("marina", "randK({ ratio: 0.1 })"), TypeError, "expected the compressor inside the call");
  assertThrows(() => made("sometimes"), RangeError, "there is no sometimes");
});
