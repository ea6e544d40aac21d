/** What a method makes of messages that are not its own. */

import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { workspace } from "../../../../optimizers/mod.ts";
import { fold, key, normal } from "../../../../random.ts";
import { stepTogether } from "../../../../testing/step_together.ts";
import { type GradientOracle, performTogether, type WireRound } from "../../../../transport/mod.ts";
import { methodOf, methods } from "../../all_methods.ts";

const layout = { names: ["kernel", "bias"], shapes: [[6, 4], [5]], size: 29 }, size = 2, steps = 8;

/** A run of two ranks; what rank 0 receives from rank 1 is damaged. */
function run(text: string, damage: (message: Uint8Array) => Uint8Array): void {
  const method = methodOf(text, layout);
  const states = [0, 1].map(() => method.init(layout, size)), workspaces = states.map(workspace);
  const parameters = states.map(() => new Float32Array(layout.size));
  const oracles = states.map((): GradientOracle => (at, into) => into.set(at));
  const perform = (rounds: readonly WireRound[]) =>
    performTogether(rounds).map((reply, rank) =>
      reply.map((message, from) => rank === 0 && from === 1 ? damage(message.slice()) : message.slice())
    );
  for (let step = 0; step < steps; step++) {
    const gradients = states.map((_, rank) => normal(fold(key(step), rank), new Float32Array(layout.size)));
    const before = structuredClone(states[0]);
    try {
      stepTogether(method, states, gradients, {
        ...{ seed: 4, step, layout, workspaces, oracles, perform },
        facts: (rank) => ({ learningRate: 0.1, parameters: parameters[rank]!.slice() }),
      });
    } catch (error) {
      assertEquals(states[0], before, `${text}: the state after step ${step} was refused`);
      throw error;
    }
    const [result] = gradients;
    assert(result!.every(Number.isFinite), `${text}: ${result} after step ${step}`);
    gradients.forEach((vector, rank) => {
      if (method.yields === "parameters") parameters[rank]!.set(vector);
    });
  }
}

for (const { text } of methods) {
  Deno.test(`${text}: messages that are not its own are refused, and nothing is stored, or give finite numbers`, () => {
    let refused = 0, messages = 0;
    const check = (damage: (message: Uint8Array) => Uint8Array) => {
      try {
        run(text, (message) => (messages++, damage(message)));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        refused++;
      }
    };
    check((message) => message.subarray(1));
    check((message) => Uint8Array.of(...message, 1));
    check((message) => message.fill(255));
    check(() => new Uint8Array(0));
    const byte = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 3 }), (flips) =>
        check((message) => {
          if (message.length > 0) { for (const [at, bits] of flips) message[at % message.length]! ^= bits; }
          return message;
        })),
      { seed: 1, numRuns: 30 },
    );
    // In sums there are no messages.
    if (messages > 0) assert(refused > 0, "nothing was refused");
  });
}
