import { conserves } from "./conserves.ts";
import { scaledSign } from "../../../../compressors/mod.ts";
import { doubleSqueeze } from "../../../../optimizers/mod.ts";
import { sparsest } from "../../lockstep.ts";

Deno.test("doubleSqueeze's virtual iterate moves by −γ mean g, also when the learning rate changes", () => {
  conserves(doubleSqueeze(sparsest()), (gradient) => gradient);
  conserves(doubleSqueeze(scaledSign()), (gradient) => gradient);
});
