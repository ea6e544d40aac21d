/**
 * How few bits a number can do with. Here α is the error of a message, ‖C(x) − x‖² / ‖x‖², and d the size of x. The error of
 * an unbiased compressor is divided by (1 + error) first: so much is left when C(x) is scaled to come closest to x.
 *
 * @module
 */

/**
 * ½ log₂(1/α) bits: what a compressor needs that keeps α for all vectors (arXiv:2010.03246, worst case). On one given
 * vector a compressor may do with fewer.
 */
export function bitsForAllVectors(alpha: number): number {
  return Math.log2(1 / alpha) / 2;
}

/**
 * −log₂ P(α, d) / d bits: what a compressor needs on average over vectors in all directions (arXiv:2010.03246,
 * average case). P(α, d) is the share of directions that are within the error of one message.
 */
export function bitsOnAverage(alpha: number, d: number): number {
  return -logCapShare(alpha, d) / Math.LN2 / d;
}

/**
 * The natural logarithm of P(α, d) = ½ I_α((d − 1)/2, ½), the share of the sphere in d dimensions within the angle of
 * sine √α, by the power series of the incomplete beta function I.
 */
export function logCapShare(alpha: number, d: number): number {
  const p = (d - 1) / 2;
  let term = 1, sum = 0;
  for (let k = 0; term > 1e-17 * sum; k++) {
    sum += term / (p + k);
    term *= alpha * (k + .5) / (k + 1);
  }
  return p * Math.log(alpha) + Math.log(sum / 2) - logBeta(p);
}

/** ln B(p, ½) for p a multiple of ½. */
function logBeta(p: number): number {
  let log = Number.isInteger(p) ? Math.LN2 : Math.log(Math.PI); // B(1, ½) = 2, B(½, ½) = π
  for (let q = Number.isInteger(p) ? 1 : .5; q < p; q++) log += Math.log(q / (q + .5));
  return log;
}

/**
 * Bits a number by reverse water-filling: what gaussian numbers with the variances xᵢ² need at the error α, where sender
 * and receiver know the variances. Numbers below the water level θ are not sent; the others keep the error θ each. It is a
 * yardstick for this vector and no theorem: an actual receiver does not know which numbers are large.
 */
export function bitsByWaterFilling(vector: Float32Array): (alpha: number) => number {
  const squares = Float64Array.from(vector, (v) => v * v).sort(), { length } = squares;
  const total = squares.reduce((sum, square) => sum + square, 0);
  return (alpha) => {
    // Below the level lie the `below` smallest squares; the error is their sum, and θ for each of the others.
    let below = 0, lost = 0;
    while (below < length && lost + squares[below]! * (length - below) < alpha * total) lost += squares[below++]!;
    if (below === length) return 0;
    const level = (alpha * total - lost) / (length - below);
    let bits = 0;
    for (let i = below; i < length; i++) bits += Math.log2(squares[i]! / level) / 2;
    return bits / length;
  };
}
