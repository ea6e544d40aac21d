/** Single checks of the suite of methods: a method with one fault, and what the suite says of it. */

import { assert, assertEquals } from "@std/assert/mod.js";
import type { Context, Exchange, Method, State, Vectors } from "../../optimizers/mod.ts";
import { methodProperties } from "../../testing/mod.ts";
import { allReduce } from "../../transport/mod.ts";

/** A method that leaves the mean of the gradients, with this state, what `before` does first and `after` last. */
function method(
  init: () => State,
  after: (gradient: Float32Array, state: State, context: Context) => Exchange | void,
  before: (gradient: Float32Array, state: State, context: Context) => Exchange | void = () => {},
): Method {
  return {
    name: "faulty",
    options: {},
    init,
    *reduce(gradient, state, context) {
      yield* before(gradient, state, context) ?? [];
      gradient.forEach((value, i) => gradient[i] = value / context.size);
      yield* allReduce(gradient);
      yield* after(gradient, state, context) ?? [];
    },
  };
}

const nothing = () => ({ local: {}, shared: {} });
const memory = () => ({ local: { memory: new Float32Array(3) }, shared: {} });
const shared = () => ({ local: {}, shared: { common: new Float32Array(3) } });
const add = (record: Vectors, amount: number) => record[Object.keys(record)[0]!]![2]! += amount;
/** Refuses a gradient that is large, in these words. */
const refuse = (gradient: Float32Array, words: string | undefined) => {
  if (words !== undefined && gradient.some((value) => Math.abs(value) > 1e38)) throw new RangeError(words);
};

/** What is wrong, how it is made, the claim that it violates, and what the suite says. */
const faults: [what: string, make: () => Method, claim: string, says: RegExp][] = [
  [
    "leaves other results on other ranks",
    () => method(nothing, (gradient, _, { rank }) => void (gradient[1]! += rank)),
    "2 ranks perform",
    /the results of ranks 1 and 0 differ: number 1/,
  ],
  [
    "remembers as shared what is not, in the last number",
    () => method(shared, (_, { shared }, { rank }) => void add(shared, rank)),
    "2 ranks perform",
    /shared, ranks 1 and 0 common differ: number 2 is 1 and 0/,
  ],
  [
    "remembers as shared what one rank alone has",
    () =>
      method(nothing, (_, { shared }, { rank }) => {
        if (rank === 1) (shared as Record<string, Float32Array>).more = new Float32Array(1);
      }),
    "2 ranks perform",
    /the states have different vectors/,
  ],
  [
    "remembers as shared what is longer on one rank",
    () =>
      method(nothing, (_, { shared }, { rank }) => {
        (shared as Record<string, Float32Array>).more = new Float32Array(1 + rank);
      }),
    "2 ranks perform",
    /shared, ranks 1 and 0 more differ/,
  ],
  [
    "divides a model of one number unequally",
    () => method(nothing, (gradient, _, { rank }) => void (gradient.length === 1 && (gradient[0]! += rank))),
    "2 ranks perform",
    /the results of ranks 1 and 0 differ: number 0/,
  ],
  [
    "remembers zeros otherwise on other ranks",
    () => method(shared, (x, { shared }, { rank }) => void add(shared, x.some((v) => v !== 0) ? 0 : rank)),
    "zeros stay finite on 2 ranks",
    /shared, ranks 0 and another common differ/,
  ],
  [
    "remembers before its round",
    () => method(memory, () => {}, (_, { local }) => void add(local, 1)),
    "a failure leaves the state as it was on 2 ranks",
    /step 0, failed round 0: local memory differ: number 2 is 1 and 0/,
  ],
  [
    "remembers between its rounds",
    () =>
      method(memory, function* (gradient, { local }) {
        add(local, 1);
        yield* allReduce(gradient);
      }),
    "a failure leaves the state as it was on 2 ranks",
    /step 0, failed round 1: local memory differ: number 2 is 1 and 0/,
  ],
  [
    "performs a second round the first time only",
    () => {
      let calls = 0;
      return method(nothing, (gradient) => calls === 1 ? allReduce(gradient) : undefined, () => void calls++);
    },
    "a failure leaves the state as it was on 1 ranks",
    /step 0: round 1 failed, and the step went on/,
  ],
  [
    "counts failed steps",
    () => {
      let calls = 0;
      return method(nothing, (gradient) => void (gradient[0]! += calls), () => void calls++);
    },
    "a failure leaves the state as it was on 2 ranks",
    /step 0, taken again: results differ: number 0/,
  ],
  [
    "counts its steps from when it was made",
    () => {
      let first: number | undefined;
      return method(nothing, (gradient, _, { step }) => void (gradient[0]! += step - (first ??= step)));
    },
    "going on from a copy",
    /step 1: results differ: number 0/,
  ],
  [
    "takes another model's step for its own",
    () => {
      const results = new Map<string, Float32Array>();
      return method(nothing, (gradient, _, { step, rank }) => {
        const known = results.get(`${step} ${rank}`) ?? gradient.slice();
        results.set(`${step} ${rank}`, known);
        gradient.set(known);
      });
    },
    "going on from a copy",
    /step 0: results differ/,
  ],
  [
    "leaves another state where it exchanged ahead",
    () => ({
      ...method(memory, () => {}),
      *ahead(_state, { workspace }) {
        yield* allReduce(workspace.floats("early", 1).fill(1));
      },
      *reduce(gradient, { local }, { early = false }) {
        yield* allReduce(gradient);
        add(local, early ? 1 : 2);
      },
    }),
    "going on from a copy",
    /step 1: local memory differ: number 2 is 3 and 4/,
  ],
  [
    "modifies the parameters",
    () => method(nothing, (_, __, { parameters }) => void (parameters![0]! += 1)),
    "1 rank performs",
    /step 0: the parameters that rank 0 was given, now and before differ: number 0 is 1 and 0/,
  ],
  [
    "adds before it divides",
    () => ({
      ...method(nothing, () => {}),
      *reduce(gradient, _state, { size }) {
        yield* allReduce(gradient);
        gradient.forEach((value, i) => gradient[i] = value / size);
      },
    }),
    "extreme gradients and learning rates on 2 ranks",
    /gradients of the largest numbers: .* number 0 of the result is Infinity/,
  ],
  [
    "remembers what is too large for float32",
    () => method(memory, (gradient, { local }) => void add(local, 2 * gradient[0]!)),
    "extreme gradients and learning rates on 1 ranks",
    /gradients of the largest numbers: .* number 2 of memory in the state is Infinity/,
  ],
  [
    "refuses on one rank alone",
    () => method(nothing, (gradient, _, { rank }) => refuse(gradient, rank === 1 ? "Cannot add" : undefined)),
    "extreme gradients and learning rates on 2 ranks",
    /the ranks do not refuse it alike: ; Cannot add/,
  ],
  [
    "refuses in words of each rank's own",
    () => method(nothing, (gradient, _, { rank }) => refuse(gradient, `Cannot add on rank ${rank}`)),
    "extreme gradients and learning rates on 2 ranks",
    /the ranks do not refuse it alike: Cannot add on rank 0; Cannot add on rank 1/,
  ],
  [
    "refuses without saying what it cannot do",
    () => method(nothing, (gradient) => refuse(gradient, "too large")),
    "extreme gradients and learning rates on 2 ranks",
    /the ranks do not refuse it alike: too large; too large/,
  ],
  [
    "remembers what it refuses",
    () =>
      method(memory, (gradient, { local }) => {
        add(local, 1);
        refuse(gradient, "Cannot add");
      }),
    "extreme gradients and learning rates on 2 ranks",
    /refused by rank 0: memory differs, number 2 is 1 and 0/,
  ],
  [
    "refuses what is finite where nothing is compressed",
    () => method(nothing, (gradient) => refuse(gradient, "Cannot add")),
    "extreme gradients and learning rates on 2 ranks",
    /without compression, large gradients: .* the ranks refuse it: Cannot add/,
  ],
  [
    "leaves NaN",
    () => method(nothing, (gradient) => void (gradient[3] = NaN)),
    "1 rank performs",
    /step 0: number 3 of the result is NaN/,
  ],
];

for (const [what, make, claim, says] of faults) {
  Deno.test(`methodProperties says what is wrong with a method that ${what}`, () => {
    const found = methodProperties(make).filter(({ name }) => name.startsWith(`faulty: ${claim}`));
    assert(found.length > 0, claim);
    let said = "";
    try {
      void found[0]!.check();
    } catch (error) {
      said = (error as Error).message;
    }
    assert(says.test(said), `said "${said}", expected ${says}`);
  });
}

Deno.test("methodProperties holds for the method without any fault", () => {
  const sound = () => ({ ...method(memory, () => {}), identityAlone: true });
  for (const { check } of methodProperties(sound)) assertEquals(check(), undefined);
});
