import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, decompress, identity } from "../../compressors/mod.ts";
import { key } from "../../random.ts";

type Any = (...values: unknown[]) => unknown;
const x = Float32Array.of(1, 2, 3);

/** A call, the kind of its error, and what the sentence says. */
const mistakes: Record<string, [call: () => unknown, kind: new (...a: never[]) => Error, says: string]> = {
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
  "a buffer that is too short": [() => compress(identity(), x, key(1), new Uint8Array(11)), RangeError, "at least 12"],
};

for (const [mistake, [call, kind, says]] of Object.entries(mistakes)) {
  Deno.test(`${mistake}: ${says}`, () => {
    assertThrows(call, kind as ErrorConstructor, says);
  });
}

Deno.test("a message is the part of the buffer that was written, and is decoded whatever follows it there", () => {
  const buffer = new Uint8Array(20).fill(255), message = compress(identity(), x, key(1), buffer);
  assert(message.buffer === buffer.buffer && message.length === 12);
  assertEquals(decompress(identity(), message, key(1), 3), x);
});

Deno.test("compress asks for no more than a compressor's interface", () => {
  const own: Compressor = { ...identity(), name: "own" };
  compress(own, x, [1, 2]);
});
