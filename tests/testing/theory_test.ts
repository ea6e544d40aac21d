import { assert, assertRejects } from "@std/assert/mod.js";
import { randK, topK } from "../../compressors/mod.ts";
import {
  average,
  type Constants,
  diana,
  ef21,
  localSgd,
  type Method,
  scaffold,
  vrDiana,
} from "../../optimizers/mod.ts";
import { theoryProperties, type TheoryPropertiesOptions } from "../../testing/mod.ts";
import { allReduce } from "../../transport/mod.ts";
import { fold } from "../../random.ts";
import { ofAverage, ofCommonKey, ofDiana, ofEf21, ofScaffold, ofVrDiana } from "../optimizers/promises.ts";

const C = randK({ ratio: .3 }), T = topK({ ratio: .3 }), omega = (size: number) => C.omega(size);
const faster = (method: Method, factor: number): Method => ({
  ...method,
  stepSize: (constants) => factor * method.stepSize!(constants),
});

/** Methods that are not what they promise, and the claim in which the suite finds them. */
const wrong: [
  what: string,
  make: (constants: Constants) => Method,
  claim: RegExp,
  options?: TheoryPropertiesOptions,
][] = [
  ["has no step size", () => ({ ...average(), stepSize: () => NaN }), /its step size is positive/],
  ["has a step size of no unit", () => ({ ...average(), stepSize: () => .01 }), /that of c f is 1\/c/],
  [
    "forgets μ",
    () => ({ ...average(), stepSize: ({ smoothness, convexity }) => 1 / (smoothness + convexity ** 2) }),
    /1\/c/,
  ],
  ["takes 3/L, without a promise", () => faster(average(), 3), /what theory promises on quadratics/],
  ["takes 12 times its step", () => faster(average(C), 12), /on ridge regression/, { within: ofAverage(omega) }],
  ["diana at 12 times its step", () => faster(diana(C), 12), /on quadratics/, { within: ofDiana(omega), problems: 16 }],
  [
    "diana whose shifts expand",
    () => {
      const { omega: _, ...rest } = C, exact = diana({ ...rest, omega: () => 0 }); // takes ω for 0
      return { ...exact, stepSize: (constants) => diana(C).stepSize!(constants) };
    },
    /on quadratics/,
    { within: ofDiana(omega) },
  ],
  [
    "ef21 with L̄ forgotten",
    () => ({
      ...ef21(T),
      stepSize: ({ smoothness }) => 4 / smoothness,
    }),
    /on quadratics/,
    { within: ofEf21((d) => T.alpha(d)) },
  ],
  ["localSgd without its method's bound", () => ({
    ...localSgd({ every: 1, method: average(randK({ k: 1 })) }),
    stepSize: ({ largestSmoothness }) => 1 / largestSmoothness,
  }), /on ridge regression/],
  [
    "vrDiana with the smoothness of the mean",
    ({ terms = 1 }) => ({
      ...vrDiana(C, { terms }),
      stepSize: ({ smoothness }) => 1 / smoothness,
    }),
    /on logistic regression/,
    { kinds: ["logistic"], batch: 1, within: ofVrDiana("loopless")(omega), problems: 16 },
  ],
  ["scaffold at 300 times its step", () => faster(scaffold({ localSteps: 2 }), 400), /on quadratics/, {
    within: ofScaffold(2, 1, 1)(() => 0),
  }],
  [
    "sums instead of averaging",
    () => ({
      ...average(),
      *reduce(gradient) {
        yield* allReduce(gradient);
      },
    }),
    /on quadratics/,
    { within: ofCommonKey(() => 0) },
  ],
  [
    "a common key where theory counts on keys of their own",
    () => ({
      ...average(C),
      stepSize: ({ smoothness }) => 1.9 / smoothness,
      reduce: (gradient, state, context) =>
        average(C).reduce(gradient, state, { ...context, keyOf: () => fold(context.shared, 1) }),
    }),
    /on quadratics/,
    { within: ofCommonKey(() => 0), ranks: [20] },
  ],
];

for (const [what, make, claim, options] of wrong) {
  Deno.test(`theoryProperties finds a method that ${what}`, async () => {
    const claims = theoryProperties(make, { steps: 300, ranks: [1, 2, 5, 8], ...options });
    const property = claims.find(({ name }) => claim.test(name));
    assert(property, `no claim matches ${claim}: ${claims.map(({ name }) => name).join("; ")}`);
    await assertRejects(async () => await property!.check(), Error);
  });
}
