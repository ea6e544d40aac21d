import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { average, type Method, workspace } from "../../optimizers/mod.ts";
import { stepTogether, tryTogether } from "../../testing/step_together.ts";
import { allReduce, performTogether } from "../../transport/mod.ts";

const layout = { names: ["w"], shapes: [[2]], size: 2 };
const how = { seed: 1, step: 0, layout, workspaces: [workspace(), workspace()] };
const gradients = () => [Float32Array.of(1, 3), Float32Array.of(3, 5)];
const states = <S>(method: Method) => [method.init(layout, 2), method.init(layout, 2)] as S[];

Deno.test("stepTogether: the gradients of all ranks become what the method makes of them", () => {
  const method = average(), vectors = gradients();
  let rounds = 0;
  const perform: typeof performTogether = (all) => (rounds++, performTogether(all));
  stepTogether(method, states(method), vectors, { ...how, perform });
  assertEquals([vectors, rounds], [[Float32Array.of(2, 4), Float32Array.of(2, 4)], 1]);
});

Deno.test("tryTogether: errors by rank, and what a rank is told", () => {
  const method: Method = {
    ...average(),
    *reduce(gradient, _, { rank, learningRate }) {
      if (learningRate === 0 && rank === 1) throw new Error("rank 1 refuses");
      yield* allReduce(gradient);
    },
  };
  assertEquals(tryTogether(method, states(method), gradients(), how), undefined);
  const still = { ...how, facts: () => ({ learningRate: 0 }) };
  const errors = tryTogether(method, states(method), gradients(), still);
  assertEquals(errors?.map((error) => error?.message), [undefined, "rank 1 refuses"]);
  assertThrows(() => stepTogether(method, states(method), gradients(), still), Error, "rank 1 refuses");
});
