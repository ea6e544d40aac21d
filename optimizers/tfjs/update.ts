import { allFinite } from "../methods/parts/finite.ts";
import { numbersOf } from "./variables/numbers.ts";
import type { NamedTensorMap, Optimizer } from "./variables/tfjs.ts";
import type { NamedGradient } from "./variables/variables.ts";
import { refusal } from "./agreement/vote.ts";

/**
 * Has the inner optimizer apply gradients as they are, if all of them are finite: the step of a rank that is alone with a
 * method that for one rank changes nothing.
 *
 * @returns whether they were applied: false if one is not finite and the step is to be skipped
 * @throws {RangeError} if one is not finite and the step is not to be skipped
 */
export function applyFinite(
  inner: Optimizer,
  given: readonly NamedGradient[],
  step: number,
  nonFinite: "throw" | "skip",
): boolean {
  const bad = given.findIndex(({ tensor }) => tensor && !allFinite(numbersOf(tensor)));
  if (bad >= 0 && nonFinite === "throw") {
    throw refusal(step, [{ kind: "brought", what: `the gradient of variable ${bad} (${given[bad]!.name})` }], "");
  }
  if (bad < 0) inner.applyGradients(given as unknown as NamedTensorMap);
  return bad < 0;
}
