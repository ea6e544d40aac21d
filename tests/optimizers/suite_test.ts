/** The conformance suite over every method and combinator. */

import { assertEquals } from "@std/assert/mod.js";
import { identity, randK, scaledSign, topK } from "../../compressors/mod.ts";
import * as factories from "../../optimizers/methods/factories.ts";
import {
  adiana,
  average,
  deepGradientCompression,
  diana,
  distEf,
  doubleSqueeze,
  ef21,
  errorFeedback,
  majorityVote,
  marina,
  none,
  oneBitAdam,
  oneBitSgd,
  perLayer,
  powerSgd,
  schedule,
  skipSmall,
  structuredUpdate,
  vrDiana,
  warmup,
} from "../../optimizers/mod.ts";
import { type MakeMethod, methodProperties, type MethodPropertiesOptions } from "../../testing/mod.ts";

const layout = { names: ["kernel", "bias", "scale"], shapes: [[3, 4], [5], []], size: 18 };
const reaches = { reaches: true, steps: 2500, rate: .02 }, stays = { reaches: false, steps: 1500, rate: .02 };
const own: MethodPropertiesOptions = { average: false },
  local = { agrees: (t: number) => t % 3 === 2, steps: 8, ...own };
const drawn = { ...own, layout: { ...layout, shapes: [[6, 3]], names: ["kernel"] } };

const table: [make: MakeMethod, options?: MethodPropertiesOptions][] = [
  [(c = identity()) => average(c), { quadratic: { reaches: true, steps: 300, rate: .2 } }],
  [() => average(randK({ ratio: .3, shared: true })), { ...own, quadratic: reaches }],
  [() => average(randK({ ratio: .3 })), { ...own, quadratic: stays }],
  [(c) => c ? errorFeedback(c) : errorFeedback(topK({ k: 3 })), { quadratic: stays }],
  [() => errorFeedback(scaledSign(), { delay: 2 }), own],
  [(c) => doubleSqueeze(c ?? topK({ ratio: .3 })), { quadratic: stays }],
  [(c) => c ? distEf(c, { momentum: 0 }) : distEf(), { quadratic: { ...stays, rate: .004 } }],
  [() => distEf(scaledSign({ block: 3 }), { nesterov: false }), own],
  [(c) => ef21(c ?? topK({ k: 3 })), { quadratic: reaches }],
  [(c) => ef21(c ?? topK({ k: 3 }), { plus: true }), { quadratic: reaches }],
  [(c) => diana(c ?? randK({ k: 3 })), { quadratic: reaches }],
  [(c) => vrDiana(c ?? randK({ k: 3 }), { terms: 2 }), { ...own, quadratic: reaches }],
  [() => vrDiana(randK({ k: 3 }), { terms: 4, form: "table" }), { ...own, quadratic: reaches }],
  [() => adiana(randK({ k: 6 }), { convexity: 1 }), { ...own, quadratic: reaches }],
  [() => adiana(randK({ k: 6 }), { convexity: 1, smoothness: 3.6, parameters: "B" }), own],
  [(c) => marina(c ?? randK({ k: 3 })), { quadratic: reaches }],
  [() => marina(randK({ k: 3 }), { probability: .3, dense: "all" }), { ...own, quadratic: reaches }],
  // Linear in the mean, so that its error vanishes with the mean gradient.
  [() => powerSgd({ rank: 1, minimumRate: .5 }), { ...own, quadratic: reaches }],
  [() => powerSgd({ rank: 2, minimumRate: .5, startStep: 3 }), own],
  [() => deepGradientCompression({ ratio: .2, clip: 5, warmupSteps: 4 }), own],
  [() => deepGradientCompression({ ratio: .2, nesterov: true, masking: false, sample: .5 }), own],
  [() => deepGradientCompression({ ratio: 1, momentum: 0 }), { quadratic: { ...reaches, rate: .1 } }],
  [() => oneBitSgd({ block: 3 }), { ...own, quadratic: stays }],
  [() => oneBitAdam({ warmupSteps: 3, compressor: scaledSign({ block: 4 }) }), own],
  [() => majorityVote({ momentum: 0 }), { ...own, quadratic: stays }],
  [() => majorityVote(), own],
  [() => structuredUpdate({ localSteps: 3, ratio: .3 }), local],
  [() => structuredUpdate({ localSteps: 3, rank: 2 }), { ...local, layout: drawn.layout }],
  [(c) => warmup(c ? errorFeedback(c) : errorFeedback(topK({ k: 2 })), { steps: 2 })],
  [() => schedule({ 0: errorFeedback(topK({ k: 9 })), 2: errorFeedback(topK({ k: 3 })) }), own],
  [(c) => skipSmall(layout, c ? errorFeedback(c) : errorFeedback(topK({ k: 2 })), { below: 6 }), { scalar: false }],
  [() => {
    const sparse = diana(randK({ k: 2 })), stripes = doubleSqueeze(topK({ ratio: .5 })), low = powerSgd({ rank: 1 });
    return perLayer(layout, ({ shape, index }) => shape.length === 2 ? low : index === 1 ? sparse : stripes);
  }, { ...own, scalar: false }],
];

for (const [make, options] of table) {
  for (const { name, check } of methodProperties(make, options)) Deno.test(name, check);
}

Deno.test("the table holds every method and combinator", () => {
  // Those that act every so many steps have their place in local_test.ts; none has nothing to agree on.
  const elsewhere = ["fedAvg", "localSgd", "qsparseLocal", "scaffold", none().name];
  const known = new Set([...table.map(([make]) => make().name), ...elsewhere]);
  assertEquals([...known].sort(), Object.keys(factories).sort());
});
