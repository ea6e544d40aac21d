/** The mistakes that callers of factories make most, and what they are told. @module */

import { assertThrows } from "@std/assert/mod.js";
import {
  compose,
  contractive,
  identity,
  randK,
  scaledSign,
  subtractiveDithering,
  topK,
} from "../../compressors/mod.ts";
import { requireContractive, requireUnbiased } from "../../compressors/check.ts";
import { average } from "../../optimizers/mod.ts";

const { alpha: _, everyDraw: __, ...signs } = scaledSign();
type Any = (...values: unknown[]) => unknown;

/** A call, the kind of its error, and what the sentence says. */
const mistakes: Record<string, [call: () => unknown, kind: new (...a: never[]) => Error, says: string]> = {
  "an option's value for the options": [() => (topK as Any)(10), TypeError, "as in { k: 10 }"],
  "a text for the options": [() => (topK as Any)("10"), TypeError, 'the options are "10"'],
  "an option misspelt": [() => (topK as Any)({ K: 10 }), TypeError, 'no option "K", expected one of k, ratio'],
  "the unknown option is told before a missing one": [() => (randK as Any)({ rate: 1 }), TypeError, 'option "rate"'],
  "no options at all": [() => (topK as Any)(), TypeError, "k is undefined and ratio is undefined"],
  "a text for a number": [() => (topK as Any)({ k: "3" }), RangeError, 'k is "3", expected an integer'],
  "a percentage": [() => topK({ ratio: 10 }), RangeError, "ratio is 10, expected a number > 0 and ≤ 1"],
  "a symbol": [() => (topK as Any)({ ratio: Symbol("x") }), RangeError, "ratio is Symbol(x)"],
  "a big integer": [() => (subtractiveDithering as Any)({ omega: 1n }), RangeError, "omega is 1"],
  "an uncalled factory": [
    () => (contractive as Any)(randK),
    TypeError,
    "is the function randK, expected one such as randK(…): call it",
  ],
  "a method for a compressor": [() => (contractive as Any)(average()), TypeError, "is the method average"],
  "a name for a compressor": [() => (contractive as Any)("randK"), TypeError, 'such as parseCompressor("randK")'],
  "what only looks like a compressor": [() => (contractive as Any)({ encode() {} }), TypeError, "is an object"],
  "half a compressor": [
    () => (contractive as Any)({ name: "half", options: {}, encode() {}, omega: () => 1 }),
    TypeError,
    "is the compressor half",
  ],
  "a compressor for the options": [() => (topK as Any)(identity()), TypeError, "are the compressor identity"],
  "the two parts of compose in the wrong order": [
    () => (compose as Any)(topK({ k: 1 }), identity()),
    TypeError,
    "topK or randK as the second",
  ],
};

for (const [mistake, [call, kind, says]] of Object.entries(mistakes)) {
  Deno.test(`${mistake}: ${says}`, () => {
    assertThrows(call, kind as ErrorConstructor, says);
  });
}

Deno.test("requireUnbiased and requireContractive tell how a compressor gets the property it lacks", () => {
  const biased = topK({ k: 1 }), unbiased = randK({ k: 1 });
  requireUnbiased("go", unbiased), requireContractive("go", biased), requireContractive("go", contractive(unbiased));
  assertThrows(() => requireUnbiased("go", biased), TypeError, "wrap it, induced(topK({ k: 1 }), unbiased)");
  assertThrows(() => requireUnbiased("go", signs), TypeError, "such as randK or induced(biased, unbiased)");
  assertThrows(() => requireContractive("go", unbiased), TypeError, "wrap it, contractive(randK({ k: 1 }))");
  assertThrows(() => requireContractive("go", signs), TypeError, "such as topK or contractive(unbiased)");
});
