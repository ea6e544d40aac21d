import { assertThrows } from "@std/assert/mod.js";
import { contractive, identity, induced, randK, topK } from "../../../../compressors/mod.ts";
import * as m from "../../../../optimizers/mod.ts";

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
    "the compressor is undefined, expected one such as randK({ ratio: 0.1 })",
  );
});

/** What newcomers write, and what they are told to write instead. */
const mistakes: [said: string, make: () => unknown][] = [
  [
    "randK({ k: 3 }) is unbiased, not contractive, expected one with an alpha: wrap it, contractive(randK({ k: 3 }))",
    wrong.errorFeedback!,
  ],
  [
    "topK({ k: 3 }) is not unbiased, expected a compressor with an omega, such as randK: wrap it, induced(topK({ k: 3 }), unbiased)",
    wrong.diana!,
  ],
  ["the compressor is the method average, expected one", () => m.errorFeedback(m.average() as never)],
  ["the compressor is the function topK, expected one such as topK(…): call it", () => m.errorFeedback(topK as never)],
  [
    "the method is topK({ k: 3 }), which is a compressor, expected a method: errorFeedback(topK({ k: 3 }))",
    () => m.warmup(topK({ k: 3 }) as never, { steps: 1 }),
  ],
  [
    "method is randK({ k: 3 }), which is a compressor, expected a method: average(randK({ k: 3 })) or diana(randK({ k: 3 }))",
    () => m.localSgd({ every: 2, method: randK({ k: 3 }) as never }),
  ],
  [
    "the method is the function average, expected what it returns: call it, average(…)",
    () => m.warmup(m.average as never, { steps: 1 }),
  ],
  [
    'method is "average", expected parseMethod("average")',
    () => m.fedAvg({ localSteps: 2, method: "average" as never }),
  ],
  ["steps is undefined, expected an integer ≥ 0", () => m.warmup(m.average(), undefined as never)],
  ['there is no option "Rank", expected one of rank, minimumRate, startStep', () => m.powerSgd({ Rank: -1 } as never)],
  [
    "the options are 2, expected an object with some of rank, minimumRate, startStep, as in { rank: 2 }",
    () => m.powerSgd(2 as never),
  ],
  [
    "the stages are an array, expected methods by their first step, as in schedule({ 0: ",
    () => m.schedule([] as never),
  ],
  ["the stages are the method average, expected methods by their first step", () => m.schedule(m.average() as never)],
  [
    "what choose returns for w is topK({ k: 3 }), which is a compressor",
    () => m.perLayer({ names: ["w"], shapes: [[2]], size: 2 }, () => topK({ k: 3 }) as never),
  ],
  [
    "topK is a compressor, expected one of errorFeedback(topK({ k: 3 })), average(",
    () => m.parseMethod("topK({ k: 3 })"),
  ],
  [
    "the method is topK({ k: 3 }), which is a compressor",
    () => m.minimise(m.quadratic([{ a: [[1]], b: [0] }]), topK({ k: 3 }) as never, { rounds: 1 }),
  ],
];

Deno.test("likely mistakes are told what to write instead", () => {
  for (const [said, make] of mistakes) assertThrows(make, Error, said);
});

Deno.test("the ways to make a compressor fit compile", () => {
  m.diana(induced(topK({ k: 3 }), randK({ k: 3 })));
  m.errorFeedback(contractive(randK({ k: 3 })));
  m.diana(identity()), m.errorFeedback(identity());
});
