import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  compress,
  type Compressor,
  type ContractiveCompressor,
  induced,
  naturalCompression,
  randK,
  sparseDithering,
  topK,
  type UnbiasedCompressor,
} from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { encodeHex, gaussian, ones, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

/** The sum of the squares of all but the k largest. */
const dropped = (x: Float32Array, k: number) =>
  [...x].map((value) => value * value).sort((a, b) => b - a).slice(k).reduce((sum, square) => sum + square, 0);

suite(induced(topK({ k: 2 }), randK({ k: 4 })), {
  draws: 700,
  error: (x) => dropped(x, 2) * randK({ k: 4 }).omega(x.length),
  worst: ones,
});
suite(induced(sparseDithering({ nu: 0.25, rounding: "nearest" }), naturalCompression()), { draws: 700 });

Deno.test("induced: ω is α ω', and the message is both and at most two bytes", () => {
  assertEquals(induced(topK({ k: 5 }), randK({ k: 5 })).omega(10), 0.5);
  const bytes = (compressor: Compressor) => compress(compressor, gaussian(64), key(1)).length;
  assert(bytes(induced(topK({ k: 4 }), randK({ k: 4 }))) <= bytes(topK({ k: 4 })) + 16 + 2);
});

Deno.test("induced: the two parts in the wrong order are refused", () => {
  const biased = topK({ k: 1 }) as Compressor, unbiased = randK({ k: 1 }) as Compressor;
  assertThrows(() => induced(unbiased as ContractiveCompressor, randK({ k: 1 })), TypeError, "not contractive");
  assertThrows(() => induced(topK({ k: 1 }), biased as UnbiasedCompressor), TypeError, "not unbiased");
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(induced(topK({ k: 1 }), randK({ k: 1 })), X), "00000080c00000000000");
});
