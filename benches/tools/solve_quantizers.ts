/**
 * Solves the quantizer tables of compressors/quantizers/eden/lloyd_max.ts and quic_fl/quic_fl_tables.ts and prints them:
 * `deno run benches/tools/solve_quantizers.ts`.
 *
 * EDEN: the Lloyd–Max quantizers of N(0, 1), by their fixed point: thresholds halfway between levels, levels at the mean of
 * their cells.
 *
 * QUIC-FL: minimise E(R − z)² for z ~ N(0, 1) on [−T, T], subject to E R = z for every z. The receiver's value R(h, x)
 * depends on a symbol x of b bits and on h, uniform in 0..H − 1, that both ends know. Given R, the best sender is known: let
 * (h₁, x₁), (h₂, x₂), … be all steps from R(h, x) to R(h, x + 1), in the order of their midpoints. Start with every h at its
 * lowest value and take the steps one by one; Aᵢ is the mean of R over h after i of them and Bᵢ that of R². For z between
 * Aᵢ₋₁ and Aᵢ the sender has taken i − 1 steps, and the i-th with probability (z − Aᵢ₋₁) / (Aᵢ − Aᵢ₋₁): then E R = z, and
 * E R² is the piecewise linear function through (Aᵢ, Bᵢ), which is convex, so no sender does better. What is left is to
 * minimise its mean over the R(h, x) (of one bit in closed form, `oneBitRows`), by gradient descent scaled by the probability of each (h, x); R is kept odd and the
 * mean of the highest values at T.
 */

import { oneBitRows } from "../../compressors/quantizers/quic_fl/one_bit_rows.ts";

/** Complementary error function over √π / 2 e^(−x²) is a continued fraction; near 0 the series of erf converges faster. */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x < 3) {
    let term = x, sum = x;
    for (let n = 1; Math.abs(term) > 1e-18 * sum; n++) sum += (term *= -x * x / n) / (2 * n + 1);
    return 2 / Math.sqrt(Math.PI) * sum;
  }
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (x + fraction);
  return 1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}
const density = (z: number) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
const below = (z: number) => z === Infinity ? 1 : z === -Infinity ? 0 : (1 + erf(z / Math.SQRT2)) / 2;

function lloydMax(bits: number): { levels: number[]; distortion: number } {
  const half = 2 ** (bits - 1);
  let levels = Array.from({ length: half }, (_, i) => (i + 0.5) * 4 / half);
  const cell = (i: number) =>
    [
      i === 0 ? 0 : (levels[i - 1]! + levels[i]!) / 2,
      i === half - 1 ? Infinity : (levels[i]! + levels[i + 1]!) / 2,
    ] as const;
  const moments = (low: number, high: number) =>
    [below(high) - below(low), density(low) - (high === Infinity ? 0 : density(high))] as const;
  for (let step = 0; step < 40000; step++) {
    levels = levels.map((_, i) => {
      const [mass, mean] = moments(...cell(i));
      return mean / mass;
    });
  }
  // At the fixed point E q z = E q², so the distortion is 1 − E q².
  return { levels, distortion: 1 - 2 * levels.reduce((sum, q, i) => sum + q * q * moments(...cell(i))[0], 0) };
}

/** The steps of the best sender: where they lead and how often z is there. */
interface Nodes {
  rows: number[];
  mean: number[];
  square: number[];
}
function nodesOf(table: Float64Array, rows: number, symbols: number): Nodes {
  const steps: [number, number, number][] = [];
  for (let h = 0; h < rows; h++) {
    for (let x = 0; x + 1 < symbols; x++) steps.push([table[h * symbols + x]! + table[h * symbols + x + 1]!, h, x]);
  }
  steps.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let mean = 0, square = 0;
  for (let h = 0; h < rows; h++) mean += table[h * symbols]! / rows, square += table[h * symbols]! ** 2 / rows;
  const nodes: Nodes = { rows: [-1], mean: [mean], square: [square] };
  for (const [, h, x] of steps) {
    const low = table[h * symbols + x]!, high = table[h * symbols + x + 1]!;
    nodes.rows.push(h),
      nodes.mean.push(mean += (high - low) / rows),
      nodes.square.push(square += (high * high - low * low) / rows);
  }
  return nodes;
}

function quicFl(bits: number, rows: number, limit: number): { table: Float64Array; error: number } {
  const symbols = 2 ** bits, table = new Float64Array(rows * symbols), gap = 2 * limit / (symbols - 1);
  for (let h = 0; h < rows; h++) {
    for (let x = 0; x < symbols; x++) {
      table[h * symbols + x] = gap * (x - (symbols - 1) / 2 + (h - (rows - 1) / 2) / rows);
    }
  }
  const total = below(limit) - below(-limit);
  let error = 0;
  for (let step = 0; step < 3000; step++) {
    const { rows: row, mean: a, square: b } = nodesOf(table, rows, symbols), n = a.length;
    // Weight of each node's hat function, left and right part, and the mean of the piecewise linear function.
    const left = new Float64Array(n), right = new Float64Array(n), slope = new Float64Array(n + 1);
    let mean = 0;
    for (let i = 1; i < n; i++) {
      const low = Math.max(-limit, a[i - 1]!), high = Math.min(limit, a[i]!), width = a[i]! - a[i - 1]!;
      if (width <= 0 || high <= low) continue;
      const mass = (below(high) - below(low)) / total, first = (density(low) - density(high)) / total;
      left[i] = (first - a[i - 1]! * mass) / width;
      right[i - 1] = (a[i]! * mass - first) / width;
      slope[i] = (b[i]! - b[i - 1]!) / width;
      mean += left[i]! * b[i]! + right[i - 1]! * b[i - 1]!;
    }
    const variance = 1 - 2 * limit * density(limit) / total;
    error = (mean - variance) * total;
    const gradient = new Float64Array(rows * symbols), mass = new Float64Array(rows * symbols);
    const at = new Uint8Array(rows);
    for (let i = 0; i < n; i++) {
      if (i > 0) at[row[i]!]!++;
      const weight = left[i]! + right[i]!, pull = left[i]! * slope[i]! + right[i]! * slope[i + 1]!;
      for (let h = 0; h < rows; h++) {
        const j = h * symbols + at[h]!;
        gradient[j]! += 2 * table[j]! * weight - pull, mass[j]! += weight;
      }
    }
    // The direction of Newton's method with the diagonal of the second derivatives, for which rare values move far; along it
    // the mean of the highest values must not change.
    const top = (h: number) => h * symbols + symbols - 1, inverse = mass.map((m) => 1 / (2 * m + 1e-7));
    let against = 0, room = 0;
    for (let h = 0; h < rows; h++) against += gradient[top(h)]! * inverse[top(h)]!, room += inverse[top(h)]!;
    for (let h = 0; h < rows; h++) gradient[top(h)]! -= against / room;
    for (let j = 0; j < table.length; j++) {
      table[j]! -= Math.max(-0.02, Math.min(0.02, 0.3 * gradient[j]! * inverse[j]!));
    }
    // Odd, and the highest values at T in the mean.
    const count = rows * symbols;
    for (let j = 0; j < count / 2; j++) {
      const value = (table[j]! - table[count - 1 - j]!) / 2;
      table[j] = value, table[count - 1 - j] = -value;
    }
    let mean0 = 0;
    for (let h = 0; h < rows; h++) mean0 += table[top(h)]! / rows;
    for (let h = 0; h < rows; h++) {
      const shift = (limit - mean0) * rows * inverse[top(h)]! / room;
      table[top(h)]! += shift, table[count - 1 - top(h)]! -= shift;
    }
  }
  return { table, error };
}

if (import.meta.main) {
  for (let bits = 1; bits <= 6; bits++) {
    const { levels, distortion } = lloydMax(bits);
    console.log(
      `// ${bits} bits: distortion ${distortion.toFixed(9)}\n[${levels.map((v) => v.toFixed(6)).join(", ")}],`,
    );
  }
  for (const [bits, rows] of [[1, 256], [2, 32], [3, 16], [4, 16]] as const) {
    const solved = bits === 1 ? oneBit(rows) : quicFl(bits, rows, 3.0972691), { table, error } = solved;
    const rounded = bits === 1 ? table : table.map((v) => Number(v.toFixed(5)));
    const { mean, square } = nodesOf(rounded, rows, 2 ** bits), supremum = worst(mean, square);
    console.log(
      `// ${bits} bits: error ${error.toFixed(6)} on N(0, 1), at most ${
        supremum.toFixed(6)
      } where the mean square is 1`,
    );
    if (bits > 1) console.log(`[${Array.from(rounded.subarray(0, table.length / 2)).join(", ")}],`);
  }
}

/** The closed form of one bit and its error, by the midpoint rule. */
function oneBit(rows: number): { table: Float64Array; error: number } {
  const half = oneBitRows(rows), table = Float64Array.from([...half, ...half.map((v) => -v).reverse()]);
  const { mean, square } = nodesOf(table, rows, 2), step = 1e-5;
  let error = 0;
  for (let z = mean[0]! + step / 2, i = 1; z < mean.at(-1)!; z += step) {
    while (mean[i]! < z) i++;
    const g = square[i - 1]! + (z - mean[i - 1]!) / (mean[i]! - mean[i - 1]!) * (square[i]! - square[i - 1]!);
    error += (g - z * z) * density(z) * step;
  }
  return { table, error };
}

/**
 * The largest mean of the variance g(z) − z² over all laws of z with E z² = 1: the concave hull of the variance as a
 * function of z², at 1. Beyond the last node numbers are sent exactly.
 */
function worst(a: number[], b: number[]): number {
  const points: [number, number][] = [[30, 0]];
  for (let z = 0, i = 1; z <= a.at(-1)!; z += 1e-4) {
    while (a[i]! < z) i++;
    points.push([z * z, b[i - 1]! + (z - a[i - 1]!) / (a[i]! - a[i - 1]!) * (b[i]! - b[i - 1]!) - z * z]);
  }
  // min over slopes of max over points of v + slope (1 − t): convex in the slope.
  const bound = (slope: number) => points.reduce((most, [t, v]) => Math.max(most, v + slope * (1 - t)), -Infinity);
  let low = -5, high = 5;
  for (let step = 0; step < 100; step++) {
    const one = low + (high - low) / 3, other = high - (high - low) / 3;
    if (bound(one) < bound(other)) high = other;
    else low = one;
  }
  return bound((low + high) / 2);
}
