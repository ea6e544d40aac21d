import { assertThrows } from "@std/assert/mod.js";
import { contractive, identity, induced, randK, topK } from "../../compressors/mod.ts";
import * as m from "../../optimizers/mod.ts";

/** What the types refuse, and whoever comes without types is refused when the method is made. */
const wrong: Record<string, () => unknown> = {
  // @ts-expect-error biased
  diana: () => m.diana(topK({ k: 3 })),
  // @ts-expect-error biased
  vrDiana: () => m.vrDiana(topK({ k: 3 }), { terms: 2 }),
  // @ts-expect-error biased
  adiana: () => m.adiana(topK({ k: 3 }), { convexity: 1 }),
  // @ts-expect-error biased
  marina: () => m.marina(topK({ k: 3 })),
  // @ts-expect-error biased
  scaffold: () => m.scaffold({ localSteps: 2, compressor: topK({ k: 3 }) }),
  // @ts-expect-error not contractive
  errorFeedback: () => m.errorFeedback(randK({ k: 3 })),
  // @ts-expect-error not contractive
  ef21: () => m.ef21(randK({ k: 3 })),
  // @ts-expect-error not contractive
  doubleSqueeze: () => m.doubleSqueeze(randK({ k: 3 })),
  // @ts-expect-error not contractive
  distEf: () => m.distEf(randK({ k: 3 })),
  // @ts-expect-error not contractive
  oneBitAdam: () => m.oneBitAdam({ warmupSteps: 1, compressor: randK({ k: 3 }) }),
  // @ts-expect-error not contractive
  qsparseLocal: () => m.qsparseLocal(randK({ k: 3 }), { every: 2 }),
};

for (const [name, make] of Object.entries(wrong)) {
  Deno.test(`${name} refuses a compressor of the wrong class, in the types and when it is made`, () => {
    assertThrows(make, TypeError, `Cannot make ${name}: `);
  });
}

Deno.test("what is neither a compressor nor there is refused in words", () => {
  assertThrows(
    () => m.diana(undefined as never),
    TypeError,
    "the compressor is undefined, expected one such as identity()",
  );
});

Deno.test("the ways to make a compressor fit compile", () => {
  m.diana(induced(topK({ k: 3 }), randK({ k: 3 })));
  m.errorFeedback(contractive(randK({ k: 3 })));
  m.diana(identity()), m.errorFeedback(identity());
});
