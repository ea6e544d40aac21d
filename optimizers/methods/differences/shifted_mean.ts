/** The mean of gradients that are compressed as differences to shifts: the exchange of DIANA. @module */

import type { UnbiasedCompressor } from "../../../compressors/compressor.ts";
import type { Context, Exchange } from "../method.ts";
import { requireFinite } from "../parts/finite.ts";
import { addOwn, encode, gatherMean } from "../parts/mean.ts";
import { add, subtract } from "../parts/vector.ts";

/** What ranks have learnt of their gradients, and how fast they do. */
interface Shifts {
  /** This rank's shift hᵢ. */
  readonly shift: Float32Array;
  /** The mean h of all ranks' shifts. */
  readonly meanShift: Float32Array;
  /** α, the share of its message by which a shift moves. */
  readonly shiftStep: number;
}

/**
 * gradient := h + (1/n) Σ C(gᵢ − hᵢ). The shifts are moved after the exchange.
 *
 * @param name the method's name, for what is refused
 */
export function* shiftedMean(
  name: string,
  compressor: UnbiasedCompressor,
  gradient: Float32Array,
  { shift, meanShift, shiftStep }: Shifts,
  context: Context,
): Exchange {
  const { rank, workspace, participation = 1 } = context, { length } = gradient;
  const nextShift = workspace.floats("next shift", length), mean = workspace.floats("mean", length);
  subtract(gradient, shift);
  nextShift.set(shift);
  const message = addOwn(encode(compressor, gradient, context), rank, shiftStep, nextShift);
  yield* gatherMean(name, message, context, mean);
  gradient.set(meanShift);
  add(gradient, mean);
  requireFinite(name, "the estimate", gradient);
  // The mean shift is that of all ranks: those that do not take part in this step keep their shifts.
  const moves = shiftStep * participation;
  for (let j = 0; j < length; j++) mean[j] = meanShift[j]! + moves * mean[j]!;
  requireFinite(name, "the mean shift", mean);
  meanShift.set(mean);
  shift.set(nextShift);
}

/**
 * How much more a shift step costs than one of at most 1/(1 + ω): the ratio b/a, where a step turns
 * σ = (1/n) Σ ‖hᵢ − ∇fᵢ(x*)‖² into at most (1 − a) σ + b (1/n) Σ ‖gᵢ − ∇fᵢ(x*)‖².
 *
 * Up to 1/(1 + ω) it is 1, for a = b = α. Beyond, let c = α (1 + ω). Then E‖h + α C(g − h) − g*‖² = (1 − α) ‖h − g*‖² +
 * α ‖g − g*‖² + α (c − 1) ‖g − h‖². The last term is split so that a = α (1 − c/2) and b = α (1 + c (c − 1) / (2 − c)).
 * From c = 2 on nothing holds: NaN.
 */
export function shiftCost(shiftStep: number, omega: number): number {
  const c = shiftStep * (1 + omega);
  if (c <= 1 + 1e-12) return 1;
  return c < 2 ? (1 + c * (c - 1) / (2 - c)) / (1 - c / 2) : NaN;
}
