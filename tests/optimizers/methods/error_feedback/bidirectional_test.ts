import { assertThrows } from "@std/assert/mod.js";
import { identity } from "../../../../compressors/mod.ts";
import { doubleSqueeze } from "../../../../optimizers/mod.ts";
import { lockstep } from "../../lockstep.ts";

Deno.test("a stripe's memory that is too short is refused", () => {
  const method = doubleSqueeze(identity()),
    states = [0, 1].map(() => method.init({ names: [], shapes: [], size: 4 }, 4));
  const run = lockstep(method, { ranks: 2, size: 4 });
  run.states.splice(0, 2, ...states);
  assertThrows(() => run.step(), RangeError, "Cannot serve a stripe of 2 numbers: the state was made for stripes of 1");
});
