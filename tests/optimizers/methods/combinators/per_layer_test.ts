import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { randK, topK } from "../../../../compressors/mod.ts";
import {
  average,
  diana,
  errorFeedback,
  localSgd,
  marina,
  type Method,
  minimise,
  perLayer,
  skipSmall,
} from "../../../../optimizers/mod.ts";
import { type Exchange, runTogether } from "../../../../transport/mod.ts";
import { lockstep, rand, top } from "../../lockstep.ts";
import { mini } from "../../problems.ts";

const layout = { names: ["kernel", "bias", "gain", "head"], shapes: [[4, 3], [5], [2], [2, 2]], size: 23 };

/** Runs a step of each rank and says how many numbers each all-gather or all-reduce carried. */
function sizesOf(method: Method, ranks: number): number[] {
  const sizes: number[] = [];
  const observed: Method = {
    ...method,
    *reduce(gradient, state, context): Exchange {
      const exchange = method.reduce(gradient, state, context);
      for (let next = exchange.next([]); !next.done; next = exchange.next(yield next.value)) {
        const round = next.value;
        if (context.rank > 0) continue;
        if (round.op === "allGather") sizes.push(round.message.length / 4);
        if (round.op === "allReduce") sizes.push(round.vector.length);
      }
    },
  };
  lockstep(observed, { ranks, layout }).step();
  return sizes;
}

Deno.test("perLayer gives each tensor its method, and one exchange to the tensors of one method", () => {
  const dense = average(), sparse = diana(randK({ k: 3 }));
  const method = perLayer(layout, ({ shape }) => shape.length > 1 ? sparse : dense);
  assertEquals(sizesOf(method, 2), [3, 7]);
  assertEquals(Object.keys(method.init(layout).local), ["0.shift"]);
  assertEquals(method.init(layout).local["0.shift"]!.length, 16);

  const run = lockstep(method, { ranks: 2, layout });
  const mean = run.gradients[0]!.map((v, j) => (v + run.gradients[1]![j]!) / 2), estimate = run.step();
  for (let j = 12; j < 19; j++) assertAlmostEquals(estimate[j]!, mean[j]!, 1e-6); // bias and gain
  const others = [...estimate.subarray(0, 12), ...estimate.subarray(19)];
  assert(others.filter((v) => v !== 0).length <= 6);
});

Deno.test("perLayer keeps what each of its methods has not sent", () => {
  const methods = [0, 1, 2, 3].map(() => errorFeedback(top(1)));
  const method = perLayer(layout, ({ index }) => methods[index]!), total = new Float64Array(layout.size);
  const run = lockstep(method, { ranks: 1, layout });
  const sent = new Float64Array(layout.size);
  for (let t = 0; t < 5; t++) {
    run.gradients[0]!.forEach((v, j) => total[j]! += v);
    run.step().forEach((v, j) => sent[j]! += v);
    const kept = [0, 1, 2, 3].flatMap((g) => [...run.states[0]!.local[`${g}.error`]!]);
    total.forEach((v, j) => assertAlmostEquals(sent[j]! + kept[j]!, v, 1e-5));
  }
});

Deno.test("perLayer's methods draw independently", () => {
  const two = [randK({ k: 1 }), randK({ k: 1 })].map((c) => average(c)),
    same = { names: ["a", "b"], shapes: [[50], [50]], size: 100 };
  const method = perLayer(same, ({ index }) => two[index]!);
  const run = lockstep(method, { ranks: 1, layout: same });
  let equal = 0;
  for (let t = 0; t < 40; t++) {
    const estimate = run.step();
    if (estimate.findIndex((v) => v !== 0) === estimate.findLastIndex((v) => v !== 0) - 50) equal++;
  }
  assert(equal < 8, `${equal} of 40 draws are equal`); // expected: one in 50
});

Deno.test("skipSmall averages small tensors and compresses the others", () => {
  assertEquals(sizesOf(skipSmall(layout, average(rand(2)), { below: 5 }), 2), [2, 6]);
  assertEquals(sizesOf(skipSmall(layout, average(rand(2)), { below: 0 }), 2), [2]);
  assertEquals(sizesOf(skipSmall(layout, average(rand(2))), 2), [23]);
  const other = { names: ["x"], shapes: [[23]], size: 23 };
  assertThrows(
    () => skipSmall(layout, average()).init(other),
    RangeError,
    "have shapes [[23]], expected those of its layout",
  );
});

Deno.test("a later method's failed round leaves the state of the earlier ones", () => {
  const methods = [errorFeedback(topK({ k: 1 })), errorFeedback(topK({ k: 1 }))];
  const method = perLayer(layout, ({ index }) => methods[index % 2]!), state = method.init(layout);
  const { size } = layout, gradient = new Float32Array(size).fill(1);
  let rounds = 0;
  const context = lockstepContext();
  const exchange = function* (): Exchange {
    const inner = method.reduce(gradient, state, context);
    for (let next = inner.next([]); !next.done; next = inner.next(yield next.value)) {
      if (++rounds === 2) throw new Error("lost");
    }
  };
  assertThrows(() => runTogether([exchange()]), Error, "lost");
  for (const vector of Object.values(state.local)) assert(vector.every((v) => v === 0));
});

function lockstepContext(): Parameters<Method["reduce"]>[2] {
  let found: Parameters<Method["reduce"]>[2] | undefined;
  const spy: Method = {
    ...average(),
    // deno-lint-ignore require-yield
    *reduce(_gradient, _state, context) {
      found = context;
    },
  };
  lockstep(spy, { ranks: 1, size: 1 }).step();
  return found!;
}

Deno.test("what perLayer cannot run is refused", () => {
  assertThrows(() => perLayer(layout, () => localSgd({ every: 2 })), TypeError, "owns the update");
  assertThrows(() => perLayer(layout, () => undefined as never), TypeError, "expected a method");
  const one = { names: ["x"], shapes: [[3]], size: 3 };
  assertThrows(() => perLayer(one, () => marina(rand(1))), TypeError, "asks for a gradient at another point");
  // A method that does not say so is refused when it asks.
  const { asksGradients: _, ...silent } = marina(rand(1)), asks = perLayer(one, () => silent);
  assertThrows(() => minimise(mini, asks, { rounds: 5, step: .1 }), TypeError, "asks for a gradient at another point");
});
