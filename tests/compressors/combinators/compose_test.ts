import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  cast,
  compose,
  compress,
  type Compressor,
  decompress,
  identity,
  isContractive,
  isUnbiased,
  naturalCompression,
  qsgd,
  randK,
  scaledSign,
  sparseDithering,
  topK,
} from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { assertUnbiased, encodeHex, gaussian, meanError, ones, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

const draws = 1000;
suite(compose(sparseDithering({ nu: 0.25 }), topK({ k: 5 })), { draws });
suite(compose(qsgd({ levels: 2 }), topK({ ratio: 0.3 })), { draws });
suite(compose(sparseDithering({ nu: 0.1, rounding: "nearest" }), topK({ ratio: 0.5 })), { draws });
suite(compose(naturalCompression(), randK({ k: 4 })), { draws });
suite(compose(identity(), randK({ k: 4 })), {
  draws,
  error: (x) => randK({ k: 4 }).omega(x.length) * squaredNorm(x),
  worst: ones,
});

Deno.test("compose: the mean is what topK keeps, divided by 1 + ω; the error is what it drops and Q's", () => {
  const quantizer = sparseDithering({ nu: 1 }), composed = compose(quantizer, topK({ k: 2 })), draws = 20000;
  const mean = new Float64Array(4);
  for (let i = 0; i < draws; i++) {
    const values = decompress(composed, compress(composed, X, key(i)), key(i), 4);
    values.forEach((value, j) => mean[j]! += value * (1 + quantizer.omega(2)) / draws);
  }
  [0, 0, 3, -4].forEach((value, j) => assertAlmostEquals(mean[j]!, value, 0.1));
  const unscaled = compose(sparseDithering({ nu: 0.25, rounding: "nearest" }), topK({ k: 2 }));
  const part = Float32Array.of(3, -4), nearest = sparseDithering({ nu: 0.25, rounding: "nearest" });
  assertAlmostEquals(meanError(unscaled, X, 1), 5 + meanError(nearest, part, 1), 1e-5);
});

Deno.test("compose: classes, constants and what it refuses", () => {
  const unbiased = compose(qsgd({ levels: 2 }), randK({ k: 4 }));
  assert(isUnbiased(unbiased) && !isContractive(unbiased));
  assertAlmostEquals(unbiased.omega(20), (1 + qsgd({ levels: 2 }).omega(4)) * 5 - 1);
  assertAlmostEquals(compose(scaledSign(), topK({ k: 4 })).alpha(20), 1 - 1 / 20);
  assertAlmostEquals(compose(randK({ k: 2 }), topK({ k: 4 })).alpha(20), 1 - 0.2 / 2);
  const loose = compose as unknown as (a: Compressor, b: Compressor) => Compressor;
  assertThrows(() => loose(scaledSign(), randK({ k: 2 })), TypeError, "expected an unbiased compressor as the first");
  assertThrows(() => loose(scaledSign(), scaledSign()), TypeError, "expected topK or randK as the second");
});

Deno.test("compose: which numbers are kept tells nothing of how they are rounded", () => {
  // Of two numbers the first word of a key tells which is kept. Were it also the word that rounds, one of them would always
  // be rounded up and the other down.
  assertUnbiased(compose(naturalCompression(), randK({ k: 1 })), Float32Array.of(1.4, 1.4), 4000);
});

Deno.test("compose: with randK the message is the quantizer's alone", () => {
  const compressor = compose(cast({ format: "bf16", rounding: "random" }), randK({ k: 80 }));
  assertEquals(8 * compress(compressor, gaussian(10000), key(2)).length >> 7, 10);
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(compose(identity(), randK({ k: 1 })), X), "0000803f");
});
