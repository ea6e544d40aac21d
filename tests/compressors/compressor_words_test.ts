/** The mistakes that callers make most, and what they are told. @module */

import { assertThrows } from "@std/assert/mod.js";
import {
  compose,
  compress,
  type Compressor,
  contractive,
  decompress,
  identity,
  randK,
  subtractiveDithering,
  topK,
} from "../../compressors/mod.ts";
import { average } from "../../optimizers/mod.ts";
import { key } from "../../random.ts";

type Any = (...values: unknown[]) => unknown;
const x = Float32Array.of(1, 2, 3);

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
  "an uncalled factory to compress with": [
    () => (compress as Any)(identity, x, key(1)),
    TypeError,
    "identity(…): call it",
  ],
  "a number for the key": [
    () => (compress as Any)(identity(), x, 1),
    TypeError,
    "the key is 1, expected one such as key(1)",
  ],
  "no key": [
    () => (decompress as Any)(identity(), new Uint8Array(12), undefined, 3),
    TypeError,
    "the key is undefined",
  ],
  "an array for a vector": [() => (compress as Any)(identity(), [1, 2], key(1)), TypeError, "the vector is an array"],
  "a tensor for a vector": [() => (compress as Any)(identity(), {}, key(1)), TypeError, "expected a Float32Array"],
  "a vector that is not finite": [
    () => compress(identity(), Float32Array.of(1, NaN), key(1)),
    RangeError,
    "number 1 is NaN",
  ],
  "an array for a message": [
    () => (decompress as Any)(identity(), [1], key(1), 1),
    TypeError,
    "the message is an array",
  ],
  "no size": [() => (decompress as Any)(identity(), new Uint8Array(4), key(1)), RangeError, "the size is undefined"],
  "a negative size": [() => decompress(identity(), new Uint8Array(4), key(1), -1), RangeError, "the size is -1"],
  "another vector's message": [
    () => decompress(identity(), new Uint8Array(4), key(1), 2),
    RangeError,
    "has 4 bytes, expected 8",
  ],
  "a negative seed": [() => key(-1), RangeError, "seed is -1"],
};

for (const [mistake, [call, kind, says]] of Object.entries(mistakes)) {
  Deno.test(`${mistake}: ${says}`, () => {
    assertThrows(call, kind as ErrorConstructor, says);
  });
}

Deno.test("compress asks for no more than a compressor's interface", () => {
  const own: Compressor = { ...identity(), name: "own" };
  compress(own, x, [1, 2]);
});
