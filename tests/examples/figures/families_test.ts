import { assert, assertEquals } from "@std/assert/mod.js";
import * as factories from "../../../compressors/factories.ts";
import { FAMILIES, familyOf } from "../../../examples/figures/families.ts";

const COMBINATORS = ["bucketed", "compose", "contractive", "induced", "perTensor", "repeated"];

Deno.test("every compressor is in one family, and every family has a colour of its own", () => {
  const listed = FAMILIES.flatMap(({ factories }) => factories);
  assertEquals(new Set(listed).size, listed.length);
  for (const name of Object.keys(factories)) {
    assert(COMBINATORS.includes(name) !== listed.includes(name), `${name} is in no family, or in two`);
  }
  assertEquals(new Set(FAMILIES.map(({ color }) => color)).size, FAMILIES.length);
});

Deno.test("a call is in the family of the first compressor in it", () => {
  const name = (text: string) => familyOf(text).name;
  assertEquals(name("bucketed(qsgd({ levels: 7 }), 512)"), "quantization levels");
  assertEquals(name("diana(induced(topK({ ratio: 0.1 }), randK({ ratio: 0.1 })))"), "few numbers");
  assertEquals(name("errorFeedback(sparseDithering({ nu: 0.5 }))"), "sparse dithering");
  assertEquals(name("powerSgd({ rank: 4 })"), "low rank");
  assertEquals(name("average"), "32-bit floats");
});
