/** No memory in proportion to the parameters is allocated in a method's step. */

import { assert, assertEquals } from "@std/assert/mod.js";
import { type Method, none } from "../../../../optimizers/mod.ts";
import { workspace } from "../../../../optimizers/methods/workspace.ts";
import { fold, key, normal } from "../../../../random.ts";
import { stepTogether } from "../../../../testing/step_together.ts";
import { type Exchange, type GradientOracle, relay } from "../../../../transport/mod.ts";
import { methodOf, methods } from "../../all_methods.ts";

const layout = { names: ["kernel", "bias"], shapes: [[250, 240], [5536]], size: 2 ** 16 }, size = layout.size;
const centre = [0, 1].map((rank) => normal(fold(key(1), rank), new Float32Array(size)));

/**
 * The bytes of typed arrays that rank 0 allocates between two rounds at most, in each two steps: memory that is kept may
 * grow now and then, when a round first happens or a message is the longest so far.
 */
function allocated(method: Method, steps = 12): number {
  const states = [0, 1].map(() => method.init(layout, 2)), workspaces = states.map(workspace);
  const gradients = states.map(() => new Float32Array(size)), parameters = new Float32Array(size);
  const facts = () => ({ learningRate: 0.1, parameters });
  const oracles = states.map((_, rank): GradientOracle => (_at, into) => into.set(centre[rank]!));
  const most = new Float64Array(steps);
  for (let step = 0; step < steps; step++) {
    gradients.forEach((gradient, rank) => gradient.set(centre[(rank + step) % 2]!));
    const through = function* (exchange: Exchange, rank: number): Exchange {
      let { external } = Deno.memoryUsage();
      const note = () => {
        if (rank === 0) most[step] = Math.max(most[step]!, Deno.memoryUsage().external - external);
      };
      yield* relay(exchange, function* (round) {
        note();
        const replies = yield round;
        ({ external } = Deno.memoryUsage());
        return replies;
      });
      note();
    };
    stepTogether(method, states, gradients, { seed: 3, step, layout, workspaces, facts, oracles, through });
  }
  return most.reduce((least, bytes, step) => Math.min(least, Math.max(bytes, most[step - 1] ?? Infinity)), Infinity);
}

Deno.test("methods allocate no array that grows with the parameters", () => {
  const texts = methods.map(({ text }) => text);
  assertEquals(texts.filter((text) => allocated(methodOf(text, layout)) > size / 4), []);
});

Deno.test("a mutant that copies the gradient is caught", () => {
  const copies: Method = {
    ...none(),
    // deno-lint-ignore require-yield -- a method may exchange nothing
    *reduce(gradient) {
      gradient.set(gradient.slice());
    },
  };
  assert(allocated(copies) >= 4 * size && allocated(none()) < size / 4);
});
