import { assert, assertEquals } from "@std/assert/mod.js";
import { isSparsifier, randK, scaledSign, topK } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { once, X } from "../tools/draws.ts";

Deno.test("sparsifiers tell which numbers they keep, and whether the key alone says so", () => {
  for (const [compressor, keyed] of [[topK({ k: 2 }), false], [randK({ k: 2 }), true]] as const) {
    assert(isSparsifier(compressor));
    assertEquals([compressor.kept(4), compressor.kept(1), compressor.keyed], [2, 1, keyed]);
    const indices = new Uint32Array(2);
    compressor.select(X, key(1), indices);
    const decoded = once(compressor, X);
    assertEquals([...indices], [0, 1, 2, 3].filter((i) => decoded[i] !== 0));
  }
  assert(!isSparsifier(scaledSign()));
});
