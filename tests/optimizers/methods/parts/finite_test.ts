import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { type ContractiveCompressor, identity, scaledSign } from "../../../../compressors/mod.ts";
import {
  average,
  deepGradientCompression,
  diana,
  doubleSqueeze,
  errorFeedback,
  type Method,
  oneBitAdam,
  powerSgd,
  structuredUpdate,
  workspace,
} from "../../../../optimizers/mod.ts";
import {
  allFinite,
  compressAndKeep,
  gatherFinite,
  requireFinite,
} from "../../../../optimizers/methods/parts/finite.ts";
import { fold, key, normal } from "../../../../random.ts";
import { tryTogether } from "../../../../testing/step_together.ts";
import { top } from "../../lockstep.ts";

/** Where numbers leave the range of float32: who says so, to whom, and what is kept. */

/** What each rank says that refuses a step with these gradients; undefined: it has taken it. */
function refusals(method: Method, gradients: readonly Float32Array[], steps = 1): (string | undefined)[] {
  const size = gradients[0]!.length, layout = { names: ["w"], shapes: [[size / 2, 2]], size }, ranks = gradients.length;
  const states = gradients.map(() => method.init(layout, ranks)), workspaces = gradients.map(workspace);
  const facts = () => ({ learningRate: .1, parameters: new Float32Array(size) });
  for (let step = 0;; step++) {
    const before = structuredClone(states), how = { seed: 1, step, layout, workspaces, facts };
    const errors = tryTogether(method, states, gradients.map((gradient) => gradient.slice()), how);
    if (errors) assertEquals(structuredClone(states), before);
    for (const vector of states.flatMap(({ local, shared }) => [...Object.values(local), ...Object.values(shared)])) {
      assert((vector as Float32Array).every(Number.isFinite), `${method.name} keeps what is not finite`);
    }
    if (step + 1 === steps || errors) return gradients.map((_, rank) => errors?.[rank]?.message);
  }
}

const large = (sign = 1) => new Float32Array(8).fill(sign * 3e38), small = () => new Float32Array(8).fill(1);

Deno.test("a rank whose numbers leave float32 is named by all ranks, in the same words", () => {
  // What rank 1 would keep doubles in the second step.
  const twice: [method: Method, gradients: Float32Array[]][] = [
    [errorFeedback(top(0)), [small(), large()]],
    [doubleSqueeze(top(0)), [small(), large()]],
    [deepGradientCompression({ ratio: .1 }), [small(), large()]],
    [diana(identity(), { shiftStep: 2 }), [small(), large()]],
  ];
  for (const [method, gradients] of twice) {
    const words = refusals(method, gradients, 4);
    assert(words[0]?.startsWith(`Cannot take the step of ${method.name}: what rank 1 would send or keep is beyond`));
    assertEquals(words[1], words[0]);
  }
  const infinite = [small(), large()];
  infinite[1]![3] = Infinity; // as nobody who checks his gradients hands it over
  for (const method of [average(), average(scaledSign()), powerSgd(), oneBitAdam({ warmupSteps: 3 })]) {
    const words = refusals(method, infinite);
    assert(words[0]?.startsWith(`Cannot take the step of ${method.name}: `), words[0]);
    assertEquals(words[1], words[0]);
  }
});

Deno.test("a mean that is finite is not refused: the sum need not be", () => {
  const methods = [
    average(),
    average(scaledSign()),
    errorFeedback(identity()),
    doubleSqueeze(identity()),
    diana(identity()),
    powerSgd({ rank: 1, minimumRate: .1 }),
    powerSgd({ startStep: 9 }),
    deepGradientCompression({ ratio: 1, momentum: 0 }),
    structuredUpdate({ localSteps: 1, ratio: .5 }),
  ];
  for (const method of methods) {
    for (const gradients of [[large(), large(), large()], [large(-1), large(-1)]]) {
      assertEquals(refusals(method, gradients, 3), gradients.map(() => undefined), method.name);
    }
    // One step: PowerSGD would keep all of the second as well, for a mean of zeros sends nothing.
    assertEquals(refusals(method, [large(), large(-1)]), [undefined, undefined], method.name);
  }
});

Deno.test("the squares of 1-bit Adam's gradients: refused where they leave float32, in words", () => {
  const words = refusals(oneBitAdam({ warmupSteps: 3 }), [large(), large()]);
  assertEquals(words, Array(2).fill(words[0]));
  assert(words[0]!.includes("oneBitAdam: number 0 of the mean square of the gradients is Infinity"), words[0]);
});

Deno.test("what a compressor leaves out is not kept where it is not finite", () => {
  const negative: ContractiveCompressor = {
    ...identity(),
    decodeAdd: (message, key, scale, into) => identity().decodeAdd(message, key, -scale, into),
  };
  const buffer = new Uint8Array(8), kept = (value: number) => Float32Array.of(value, 0);
  assertEquals(compressAndKeep(negative, kept(3e38), key(1), buffer), undefined);
  assertEquals(compressAndKeep(negative, kept(Infinity), key(1), buffer), undefined);
  const vector = kept(1);
  assertEquals(compressAndKeep(negative, vector, key(1), buffer)?.length, 8);
  assertEquals(vector, kept(2));
});

Deno.test("a notice reaches all ranks; messages of every length that a compressor may write pass", () => {
  const draw = normal(fold(key(1), 0), new Float32Array(4));
  assert(allFinite(draw) && !allFinite(Float32Array.of(NaN)) && !allFinite(Float32Array.of(1, -Infinity)));
  requireFinite("x", "y", Float64Array.of(1, 3.4e38));
  assertThrows(() => requireFinite("x", "y", Float64Array.of(1, 3.5e38)), RangeError, "number 1 of y is 3.5e+38");
  const exchange = (message: Uint8Array | undefined, others: readonly Uint8Array[]) => {
    const rounds = gatherFinite("x", message, 3, workspace()), { value } = rounds.next([]);
    const sent = (value as { message: Uint8Array }).message.slice();
    return { sent, end: () => rounds.next([sent, ...others]) };
  };
  const { sent } = exchange(undefined, []);
  assertEquals(sent.length, 4);
  assertThrows(() => exchange(new Uint8Array(2), [sent]).end(), RangeError, "what rank 1 would send or keep");
  assertThrows(() => exchange(undefined, [new Uint8Array(2)]).end(), RangeError, "what rank 0 would send or keep");
  for (const length of [0, 1, 3]) assert(exchange(new Uint8Array(3), [new Uint8Array(length)]).end().done);
});
