/** The table of QUIC-FL with one bit. @module */

/**
 * T: the table is made for numbers from −T to T. The mean of the highest values, up to which numbers can be sent, comes out at
 * 3.0955.
 */
const LIMIT = 3.15;

/**
 * The receiver's values in the first half of `rows`, two in each row, in closed form.
 *
 * A row has a threshold s, and the sender tells on which side of it the number z lies. Let F be the distribution function of
 * the standard normal law on [−T, T], and J the integral of √(F(1 − F)). The best thresholds have the density
 * √(F(s)(1 − F(s))) / J, and the values for numbers below and above s are −J √((1 − F(s)) / F(s)) and J √(F(s) / (1 − F(s))).
 * The value is then z on average for every z, and its mean square is J², the least there is. Row number i takes the threshold
 * in the middle of the i-th share of that density. Uses only +, −, ×, ÷ and square roots, so that both ends get the same
 * bits.
 */
export function oneBitRows(rows: number): number[] {
  const steps = 8192, low = normalBelow(-LIMIT), width = 2 * LIMIT / steps;
  const below = (s: number) => Math.max(0, (normalBelow(s) - low) / (1 - 2 * low));
  const share = new Float64Array(steps + 1);
  let before = 0;
  for (let i = 1; i <= steps; i++) {
    const f = below(i * width - LIMIT), root = Math.sqrt(Math.max(0, f * (1 - f)));
    share[i] = share[i - 1]! + (before + root) / 2 * width;
    before = root;
  }
  const total = share[steps]!, half: number[] = [];
  for (let row = 0, i = 0; row < rows / 2; row++) {
    const q = (row + 0.5) / rows * total;
    while (share[i + 1]! < q) i++;
    const f = below((i + (q - share[i]!) / (share[i + 1]! - share[i]!)) * width - LIMIT);
    half.push(-total * Math.sqrt((1 - f) / f), total * Math.sqrt(f / (1 - f)));
  }
  return half;
}

/** The probability that a standard normal number is below x, for |x| < 4, from its power series, to 1e-12. */
function normalBelow(x: number): number {
  let term = x, sum = x;
  for (let n = 1; n < 80; n++) {
    term *= -x * x / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + 0.3989422804014327 * sum;
}
