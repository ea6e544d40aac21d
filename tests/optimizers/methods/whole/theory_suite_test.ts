/**
 * Every method of the library that has a step size, with linear, unbiased and contractive compressors, against its theorem
 * on random problems. A longer run: GRADWIRE_THEORY=20 deno test -A tests/optimizers/methods/whole/theory_suite_test.ts
 */

import { assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  contractive,
  identity,
  induced,
  naturalCompression,
  randK,
  scaledSign,
  sparseDithering,
  topK,
} from "../../../../compressors/mod.ts";
import * as factories from "../../../../optimizers/methods/factories.ts";
import {
  adiana,
  average,
  type Constants,
  diana,
  distEf,
  doubleSqueeze,
  ef21,
  errorFeedback,
  fedAvg,
  type Layout,
  localSgd,
  marina,
  type Method,
  perLayer,
  qsparseLocal,
  scaffold,
  schedule,
  skipSmall,
  structuredUpdate,
  vrDiana,
  warmup,
} from "../../../../optimizers/mod.ts";
import { theoryProperties, type TheoryPropertiesOptions } from "../../../../testing/mod.ts";
import * as of from "../../promises.ts";

type Row = [
  make: (constants: Constants) => Method,
  within?: TheoryPropertiesOptions["within"],
  more?: TheoryPropertiesOptions,
];

const unbiased = {
  identity: identity(),
  randK: randK({ ratio: .3 }),
  randOne: randK({ k: 1 }),
  dithering: sparseDithering({ nu: .5 }),
  natural: naturalCompression(),
  induced: induced(topK({ ratio: .4 }), randK({ ratio: .4 })),
};
const biased = {
  identity: identity(),
  topK: topK({ ratio: .3 }),
  sign: scaledSign(),
  nearest: sparseDithering({ nu: .5, rounding: "nearest" }),
  scaled: contractive(randK({ ratio: .5 })),
};
const shared = randK({ ratio: .3, shared: true }), half = [.2, .5, .8];

/** A method by layers on a problem, whose parameters are one tensor: the two halves of it. */
function layered({ size }: Constants, make: (layout: Layout) => Method): Method {
  const first = Math.ceil(size / 2), shapes = first < size ? [[first], [size - first]] : [[first]];
  const layout = { names: shapes.map((_, i) => `part ${i}`), shapes, size }, method = make(layout);
  return { ...method, init: (_, ranks) => method.init(layout, ranks) };
}

const table: Row[] = [
  [() => average(shared), of.ofCommonKey(() => 0)],
  ...Object.values(biased).map((c): Row => [() => average(c), of.ofDescent((d) => c.alpha(d)), { ranks: [1] }]),
  ...Object.values(unbiased).flatMap((c): Row[] => {
    const omega = (size: number) => c.omega(size),
      terms = (form: "loopless" | "table"): Row => [
        ({ terms = 1 }) => vrDiana(c, { terms, form }),
        of.ofVrDiana(form)(omega),
        { kinds: ["ridge", "logistic"], batch: 1 },
      ];
    return [
      [() => average(c), of.ofAverage(omega)],
      [() => diana(c), of.ofDiana(omega)],
      [() => diana(c, { shiftStep: .01 }), undefined],
      [({ size }) => diana(c, { shiftStep: 1.5 / (1 + omega(size)) }), undefined],
      terms("loopless"),
      terms("table"),
      [({ convexity }) => adiana(c, { convexity }), undefined],
      [({ convexity, largestSmoothness }) => adiana(c, { convexity, smoothness: largestSmoothness, parameters: "B" })],
      [() => marina(c), of.ofMarina(omega)],
      [() => marina(c, { probability: .1 }), of.ofMarina(omega)],
      [() => marina(c, { dense: "all" }), of.ofMarina(omega), { kinds: ["ridge", "logistic"], batch: 1 }],
      [() => localSgd({ every: 1, method: average(c) }), of.ofLocal(1)(omega)],
      [() => localSgd({ every: 5, method: average(c) }), of.ofLocal(5)(omega)],
      [() => localSgd({ every: 4, method: diana(c) }), undefined],
      ...half.flatMap((fraction): Row[] => [
        [() => fedAvg({ localSteps: 3, fraction, method: average(c) }), of.ofLocal(3, fraction)(omega)],
        [() => fedAvg({ localSteps: 1, fraction, method: diana(c) }), of.ofSampledDiana(fraction)(omega)],
      ]),
      [() => fedAvg({ localSteps: 3, fraction: .5, globalRate: 3, method: diana(c) }), undefined],
      ...[1, 4].flatMap((localSteps) =>
        ([["I", 1, 1], ["II", .5, 1], ["II", .2, 2.5]] as const).map(([option, fraction, globalRate]): Row => [
          () => scaffold({ localSteps, option, fraction, globalRate, compressor: c }),
          of.ofScaffold(localSteps, fraction, globalRate)(omega),
        ])
      ),
    ];
  }),
  ...Object.values(biased).flatMap((c): Row[] => {
    const alpha = (size: number) => c.alpha(size);
    return [
      [() => ef21(c), of.ofEf21(alpha)],
      [() => ef21(c, { plus: true }), of.ofEf21(alpha)],
      [() => errorFeedback(c), of.ofErrorFeedback(alpha)],
      [() => errorFeedback(c, { delay: 2 }), undefined],
      [() => doubleSqueeze(c), of.ofBothWays(0)(alpha)],
      [() => distEf(c), of.ofBothWays(.9)(alpha)],
      [() => distEf(c, { momentum: .5, nesterov: false }), of.ofBothWays(.5)(alpha)],
      [() => qsparseLocal(c, { every: 1 }), of.ofErrorFeedback(alpha)],
      [() => qsparseLocal(c, { every: 4 }), undefined],
      [() => localSgd({ every: 4, method: ef21(c) }), undefined],
      [() => fedAvg({ localSteps: 2, fraction: .5, method: errorFeedback(c) }), undefined],
      [() => warmup(errorFeedback(c), { steps: 20, from: average(unbiased.randK) }), undefined],
      [() => schedule({ 0: ef21(c), 30: ef21(topK({ ratio: .5 })) }), undefined],
      [(constants) => layered(constants, (layout) => skipSmall(layout, ef21(c), { below: 3 })), undefined],
      [(constants) => {
        const methods = [errorFeedback(c), diana(unbiased.randK)];
        return layered(constants, (layout) => perLayer(layout, ({ index }) => methods[index]!));
      }, undefined],
    ];
  }),
  [() => structuredUpdate({ localSteps: 3, ratio: .4 }), undefined],
  [() => structuredUpdate({ localSteps: 1, rank: 1 }), undefined],
];

const thorough = Number(Deno.env.get("GRADWIRE_THEORY") ?? 1);

table.forEach(([make, within, more = {}], row) => {
  // Every day each row has one problem, of another kind than its neighbours'; the whole table has all sorts.
  const kinds = more.kinds ?? ["quadratic", "ridge", "logistic"],
    chosen = thorough > 1 ? kinds : [kinds[row % kinds.length]!];
  const ranks = thorough > 1 ? undefined : row % 20 === 0 ? [20] : [1, 2, 3, 5, 8];
  const options = {
    ...within ? { within } : {},
    ...ranks ? { ranks } : {},
    problems: thorough,
    steps: 200,
    seed: row + 1,
    ...more,
  };
  for (const { name, check } of theoryProperties(make, { ...options, kinds: chosen })) {
    Deno.test(`theory, row ${row}: ${name}`, check);
  }
});

Deno.test("theory: the table holds every method that has a step size", () => {
  const without = ["deepGradientCompression", "majorityVote", "none", "oneBitAdam", "oneBitSgd", "powerSgd"];
  const constants = {
    size: 4,
    ranks: 2,
    smoothness: 1,
    largestSmoothness: 1,
    meanSquareSmoothness: 1,
    convexity: .1,
    terms: 3,
  };
  const known = new Set([...table.map(([make]) => make(constants).name), ...without]);
  assertEquals([...known].sort(), Object.keys(factories).sort());
});

Deno.test("theory: diana and ef21 on whatever problems fast-check draws", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 12 }),
      fc.double({ min: 1, max: 1e4, noNaN: true }),
      fc.constantFrom("quadratic" as const, "ridge" as const, "logistic" as const),
      (seed, ranks, size, condition, kind) => {
        const options = { seed, ranks: [ranks], size, condition, kinds: [kind], problems: 1, steps: 60, draws: 4 };
        const { randK, induced } = unbiased, { topK } = biased;
        for (
          const [make, within] of [
            [() => diana(randK), of.ofDiana((d) => randK.omega(d))],
            [() => scaffold({ localSteps: 3, compressor: induced }), of.ofScaffold(3, 1, 1)((d) => induced.omega(d))],
            [() => ef21(topK), of.ofEf21((d) => topK.alpha(d))],
          ] as const
        ) for (const { check } of theoryProperties(make, { ...options, within })) check();
      },
    ),
    { seed: 7, numRuns: 12 * thorough },
  );
});
