import { assertRejects } from "@std/assert/mod.js";
import { compress, identity } from "../../compressors/mod.ts";
import { average, diana, errorFeedback, type Method } from "../../optimizers/mod.ts";
import { type MakeMethod, methodProperties, type MethodPropertiesOptions } from "../../testing/mod.ts";
import { allGather, allReduce } from "../../transport/mod.ts";
import { anyOne, sparsest } from "../optimizers/lockstep.ts";

const plain: Pick<Method, "options" | "init"> = { options: {}, init: () => ({ local: {}, shared: {} }) };

/** Wrong methods, the claim that each violates, and what else the suite must be told to see it. */
const mutants: [what: string, make: MakeMethod, claim: RegExp, options?: MethodPropertiesOptions][] = [
  ["sums instead of averaging", () => ({
    ...plain,
    name: "mutant",
    *reduce(gradient) {
      yield* allReduce(gradient);
    },
  }), /with identity\(\) it is the plain average of 2 ranks/],
  ["decodes all messages with its own key", () => ({
    ...plain,
    name: "mutant",
    *reduce(gradient, _state, { rank, size, keyOf }) {
      const messages = yield* allGather(compress(anyOne(), gradient, keyOf(rank)));
      gradient.fill(0);
      for (const message of messages) anyOne().decodeAdd(message, keyOf(rank), 1 / size, gradient);
    },
  }), /2 ranks perform the same rounds and end with the same bits/],
  ["writes its memory before the round", () => ({
    ...errorFeedback(sparsest()),
    *reduce(gradient, { local }, { rank, size, keyOf }) {
      const error = local.error as Float32Array;
      error.forEach((v, j) => gradient[j]! += v);
      const message = compress(sparsest(), gradient, keyOf(rank));
      error.set(gradient);
      sparsest().decodeAdd(message, keyOf(rank), -1, error);
      const messages = yield* allGather(message);
      gradient.fill(0);
      messages.forEach((message, r) => sparsest().decodeAdd(message, keyOf(r), 1 / size, gradient));
    },
  }), /a failure leaves the state as it was on 2 ranks/],
  ["keeps its memory in the closure", () => {
    const error = new Float32Array(18);
    return {
      ...plain,
      name: "mutant",
      *reduce(gradient) {
        yield* allReduce(gradient);
        gradient.forEach((v, j) => error[j] = gradient[j] = v + error[j % 18]! / 2);
      },
    };
  }, /going on from a copy of the state gives the same bits on 3 ranks/],
  ["keeps its memory in the workspace", () => ({
    ...plain,
    name: "mutant",
    *reduce(gradient, _state, { workspace }) {
      yield* allReduce(gradient);
      const error = workspace.floats("error", gradient.length);
      gradient.forEach((v, j) => error[j] = gradient[j] = v + error[j]!);
    },
  }), /zeros stay finite on 1 ranks/],
  ["reads a reply after the next round has begun", () => ({
    ...plain,
    name: "mutant",
    *reduce(gradient, _state, { rank, size, keyOf }) {
      const messages = yield* allGather(compress(identity(), gradient, keyOf(rank)));
      yield* allReduce(new Float32Array(1));
      gradient.fill(0);
      messages.forEach((message, r) => identity().decodeAdd(message, keyOf(r), 1 / size, gradient));
    },
  }), /with identity\(\) it is the plain average of 2 ranks/],
  ["asks for one more round on rank 0", () => ({
    ...plain,
    name: "mutant",
    *reduce(gradient, _state, { rank, size }) {
      yield* allReduce(gradient);
      gradient.forEach((v, j) => gradient[j] = v / size);
      if (rank === 0) yield* allReduce(new Float32Array(1));
    },
  }), /3 ranks perform the same rounds/],
  ["divides by the norm of a gradient of zeros", () => ({
    ...plain,
    name: "mutant",
    *reduce(gradient, _state, { size }) {
      yield* allReduce(gradient);
      const norm = Math.hypot(...gradient);
      gradient.forEach((v, j) => gradient[j] = v / norm * (norm / size));
    },
  }), /zeros stay finite on 1 ranks/],
  ["trains a lone rank with zero gradients", () => ({
    ...plain,
    name: "mutant",
    *reduce(gradient, _state, { size }) {
      if (size === 1) return void gradient.fill(0);
      yield* allReduce(gradient);
      gradient.forEach((v, j) => gradient[j] = v / size);
    },
  }), /with identity\(\) it is the plain average of 1 ranks/],
  ["loses DIANA's shifts", () => average(anyOne()), /a heterogeneous quadratic is minimised exactly/, {
    quadratic: { reaches: true, steps: 3000, rate: .005 },
  }],
  ["has error memory where none should be", () => diana(identity()), /a heterogeneous quadratic is not minimised/, {
    quadratic: { reaches: false, steps: 300, rate: .2 },
  }],
];

for (const [what, make, claim, options] of mutants) {
  Deno.test(`methodProperties catches a method that ${what}`, async () => {
    const properties = methodProperties(make, options).filter(({ name }) => claim.test(name));
    if (properties.length !== 1) throw new Error(`${properties.length} properties match ${claim}`);
    await assertRejects(async () => await properties[0]!.check(), Error);
  });
}

for (
  const { name, check } of [
    ...methodProperties((c = identity()) => average(c), { quadratic: { reaches: true, steps: 300, rate: .2 } }),
    ...methodProperties((c) => c ? errorFeedback(c) : errorFeedback(sparsest()), {
      quadratic: { reaches: false, steps: 2000, rate: .01 },
    }),
    ...methodProperties(() => errorFeedback(sparsest(), { delay: 2 }), { average: false }),
    ...methodProperties((c) => diana(c ?? anyOne()), { quadratic: { reaches: true, steps: 2500, rate: .02 } }),
  ]
) Deno.test(name, check);
