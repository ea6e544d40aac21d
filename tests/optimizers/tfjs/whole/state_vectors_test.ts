/** A state's vectors of each type (numbers, counts, bytes) pass through all that handles states. */

import { assertEquals, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  average,
  DistributedOptimizer,
  type Method,
  oneBitSgd,
  type OptimizerState,
  powerSgd,
  restoreCheckpoint,
  saveCheckpoint,
  type State,
  structuredUpdate,
} from "../../../../optimizers/mod.ts";
import { commit } from "../../../../optimizers/methods/parts/inner_method.ts";
import { restoreState } from "../../../../optimizers/tfjs/optimizer_state.ts";
import { collective, memory, runTogether } from "../../../../transport/mod.ts";

const count = 2 ** 53 - 1;

const filled = (): State => ({
  local: { bytes: Uint8Array.of(1, 255), steps: Float64Array.of(count) },
  shared: { numbers: Float32Array.of(.5, -3e38), steps: Float64Array.of(count - 1) },
});

const empty = (): State => ({
  local: { bytes: new Uint8Array(2), steps: new Float64Array(1) },
  shared: { numbers: new Float32Array(2), steps: new Float64Array(1) },
});

Deno.test("a checkpoint brings back numbers, counts and bytes, and refuses another type", async () => {
  /** Averages, and leaves a state of all types behind. */
  const method = (init: () => State): Method => ({
    ...average(),
    name: "remembers",
    identityAlone: false,
    init,
    *reduce(gradient, state, context) {
      yield* average().reduce(gradient, state, context);
      commit(filled(), state);
    },
  });
  const take = async (init: () => State, file?: Uint8Array) => {
    const ranks = memory(2).map((transport) => {
      const group = collective(transport), x = tf.variable(tf.scalar(1));
      const optimizer = new DistributedOptimizer(tf.train.sgd(.1), { method: method(init), group });
      if (file && group.rank === 0) restoreCheckpoint(optimizer, file, [x]);
      return { group, x, optimizer };
    });
    try {
      if (file) {
        assertEquals(ranks[0]!.optimizer.getState().local, filled().local);
        assertEquals(ranks[0]!.optimizer.getState().shared, filled().shared);
        return file;
      }
      const loss = (x: tf.Variable) => () => x.square().asScalar() as tf.Scalar;
      await Promise.all(ranks.map(({ optimizer, x }) => optimizer.minimizeAsync(loss(x), false, [x])));
      return saveCheckpoint(ranks[0]!.optimizer, [ranks[0]!.x]);
    } finally {
      for (const { group } of ranks) await group[Symbol.asyncDispose]();
    }
  };
  const file = await take(empty);
  await take(empty, file);
});

Deno.test("a state that still holds a vector of shapes is refused by name", () => {
  const layout = { names: ["kernel", "bias"], shapes: [[3, 4], [5]], size: 17 };
  for (
    const [method, old] of [[powerSgd(), "shapes"], [oneBitSgd(), "blocks"], [
      structuredUpdate({ localSteps: 2, ratio: .5 }),
      "shapes",
    ]] as const
  ) {
    const here = method.init(layout, 1), { local, shared } = method.init(layout, 1);
    const from = {
      local,
      shared: { ...shared, [old]: Float64Array.of(3, 4, 1, 5) },
      rank: 0,
    } as unknown as OptimizerState;
    assertThrows(
      () => runTogether([restoreState(from, here, 0)]),
      Error,
      `Cannot restore the state: shared vector ${old} has 4 numbers in the checkpoint, none here`,
    );
  }
});

Deno.test("a vector that a file holds as another type is refused by name", () => {
  const kept = { local: filled().local, shared: {} };
  const from = { ...kept, local: { ...kept.local, steps: Float32Array.of(1) } } as unknown as OptimizerState;
  assertThrows(
    () => runTogether([restoreState(from, kept, 0)]),
    Error,
    "local vector steps is a Float32Array in the checkpoint, a Float64Array here",
  );
});
