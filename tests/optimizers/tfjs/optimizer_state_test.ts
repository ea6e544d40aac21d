import { assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import type { OptimizerState } from "../../../optimizers/mod.ts";
import { pair, stepAll, type Trainee } from "./checkpoints/trainees.ts";

await tf.setBackend("cpu");

Deno.test("a state that is not one is refused by setState, and a state under way is not given out", async () => {
  const ranks = pair(), [{ optimizer }] = ranks as [Trainee];
  await stepAll(ranks);
  const state = optimizer.getState();
  const refused = (change: Partial<OptimizerState>, why: string) =>
    assertThrows(() => optimizer.setState({ ...state, ...change }), Error, why);
  refused({ layout: { names: ["a"], shapes: [[4]], size: 4 } }, "variable 0 is ");
  refused({ local: { more: new Float32Array(1) } }, "local vector more has 1 numbers in the checkpoint, none here");
  refused({ inner: { ...state.inner, slots: state.inner.slots.slice(1) } }, "slot ");
  refused({ inner: { ...state.inner, slots: [...state.inner.slots, state.inner.slots[0]!] } }, "present twice");
  const step = stepAll(ranks);
  assertThrows(() => optimizer.getState(), Error, "a step is under way");
  assertThrows(() => optimizer.setState(state), Error, "a step is under way");
  await step;
});
