import { assert, assertEquals } from "@std/assert/mod.js";
import {
  bucketed,
  compose,
  describe,
  identity,
  isContractive,
  isLinear,
  isUnbiased,
  parseCompressor,
  qsgd,
  randK,
  topK,
} from "../../compressors/mod.ts";

Deno.test("a compressor's text is the call that makes it", () => {
  const compressors = [identity(), topK({ ratio: 0.1 }), bucketed(compose(qsgd({ levels: 3 }), topK({ k: 2 })), 64)];
  for (const compressor of compressors) {
    assertEquals(describe(parseCompressor(describe(compressor))), describe(compressor));
  }
  assertEquals(describe(compressors[2]!), "bucketed(compose(qsgd({ levels: 3 }), topK({ k: 2 })), 64)");
});

Deno.test("the class of a compressor is told by what it declares", () => {
  const classes = [isUnbiased, isContractive, isLinear];
  assertEquals(classes.map((is) => is(identity())), [true, true, true]);
  assertEquals(classes.map((is) => is(topK({ k: 1 }))), [false, true, false]);
  assertEquals(classes.map((is) => is(randK({ k: 1 }))), [true, false, false]);
  assert(isLinear(randK({ k: 1, shared: true })));
});
