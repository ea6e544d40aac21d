import { assertEquals, assertThrows } from "@std/assert/mod.js";
import {
  compress,
  contractive,
  induced,
  randK,
  sparseDithering,
  topK,
  type UnbiasedCompressor,
} from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { ones, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

for (const options of [{ k: 1 }, { ratio: 0.3 }]) {
  const compressor = contractive(randK(options));
  suite(compressor, { error: (x) => compressor.alpha(x.length) * squaredNorm(x), worst: ones });
}
suite(contractive(sparseDithering({ nu: 0.5 })), { draws: 700 });
suite(contractive(induced(contractive(randK({ k: 2 })), sparseDithering({ nu: 1 }))), { draws: 700 });

Deno.test("contractive: α is ω / (1 + ω), and messages are the unbiased compressor's", () => {
  assertEquals(contractive(randK({ k: 3 })).alpha(12), 0.75);
  assertEquals(compress(contractive(randK({ k: 2 })), X, key(1)), compress(randK({ k: 2 }), X, key(1)));
});

Deno.test("contractive: a compressor without ω is refused", () => {
  assertThrows(() => contractive(topK({ k: 1 }) as unknown as UnbiasedCompressor), TypeError, "topK({ k: 1 }) is not");
});
