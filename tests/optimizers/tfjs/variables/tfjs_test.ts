import { assert } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import { Optimizer } from "../../../../optimizers/tfjs/variables/tfjs.ts";

Deno.test("Optimizer is tfjs's own class", () => {
  assert(Optimizer === tf.Optimizer);
});
