/**
 * The tables of EDEN and QUIC-FL, solved by benches/tools/solve_quantizers.ts, which describes how. Nothing depends on their last
 * digits but the variance; both ends must have the same.
 *
 * @module
 */

/** The positive levels of the quantizer of N(0, 1) with least mean squared error (Lloyd–Max), by bits. */
// deno-fmt-ignore
export const LLOYD_MAX: readonly (readonly number[])[] = [
  [],
  [0.797885],
  [0.452780, 1.510418],
  [0.245094, 0.756005, 1.343909, 2.151946],
  [0.128395, 0.388048, 0.656759, 0.942340, 1.256231, 1.618046, 2.069017, 2.732590],
  [
    0.065890, 0.198052, 0.331378, 0.466700, 0.604934, 0.747136, 0.894565, 1.048783, 1.211804, 1.386340, 1.576228,
    1.787233, 2.028728, 2.317739, 2.691120, 3.260732,
  ],
  [
    0.033410, 0.100278, 0.167297, 0.234567, 0.302193, 0.370283, 0.438950, 0.508314, 0.578503, 0.649656, 0.721922,
    0.795468, 0.870477, 0.947155, 1.025736, 1.106488, 1.189720, 1.275794, 1.365141, 1.458276, 1.555831, 1.658589,
    1.767542, 1.883977, 2.009611, 2.146810, 2.298981, 2.471305, 2.672274, 2.917407, 3.240437, 3.744101,
  ],
];

/** The mean squared error of these quantizers, by bits. */
export const DISTORTION: readonly number[] = [
  1,
  0.363380228,
  0.117481848,
  0.034547761,
  0.009501008,
  0.002504668,
  0.000644240,
];

/** A table of QUIC-FL. */
export interface QuicFlTable {
  /** How many values the number that both ends know may have. */
  readonly rows: number;
  /** The receiver's values for the first half of the rows, 2^bits in each; row h, symbol x is minus that of the last of each less h, x. */
  readonly half: readonly number[];
  /** E(R − z)² for z ~ N(0, 1). */
  readonly gaussian: number;
  /** Its largest mean over any numbers of mean square 1. */
  readonly worst: number;
}

/** By bits, from 1; of one bit without the values, which {@linkcode oneBitRows} computes. */
// deno-fmt-ignore
export const QUIC_FL: readonly QuicFlTable[] = [
  { rows: 256, gaussian: 1.452285, worst: 3.889991, half: [] }, // see oneBitRows
  {
    rows: 32,
    gaussian: 0.213612,
    worst: 0.680351,
    half: [
      -13.39532, -1.37856, 0.02103, 1.44867, -7.72179, -1.29816, 0.06246, 1.48966, -6.04839, -1.23555, 0.10289,
      1.53178, -5.12392, -1.17859, 0.14267, 1.57518, -4.51578, -1.12525, 0.18195, 1.61999, -4.07626, -1.07461,
      0.22083, 1.66637, -3.739, -1.02611, 0.25941, 1.71448, -3.46915, -0.9794, 0.29777, 1.76453, -3.24641, -0.93419,
      0.33597, 1.81674, -3.05921, -0.89027, 0.37409, 1.87135, -2.90572, -0.84739, 0.41219, 1.92866, -2.77065,
      -0.80535, 0.45032, 1.98901, -2.6503, -0.76405, 0.48856, 2.05279, -2.54192, -0.72339, 0.52695, 2.12047, -2.44341,
      -0.68329, 0.56556, 2.19262, -2.35317, -0.64366, 0.60444, 2.26991,
    ],
  },
  {
    rows: 16,
    gaussian: 0.042668,
    worst: 0.149916,
    half: [
      -6.62021, -2.06988, -1.18477, -0.55022, 0.01745, 0.58707, 1.23089, 2.16235, -4.49182, -1.97377, -1.14045,
      -0.51369, 0.05237, 0.62428, 1.27781, 2.22068, -3.85423, -1.90194, -1.09764, -0.4774, 0.08732, 0.66183, 1.32479,
      2.28228, -3.4836, -1.83775, -1.05573, -0.4413, 0.12232, 0.69971, 1.37198, 2.34779, -3.22765, -1.77831, -1.01449,
      -0.40538, 0.15738, 0.7379, 1.41952, 2.41805, -3.03725, -1.72224, -0.97381, -0.36961, 0.19251, 0.77639, 1.46757,
      2.49412, -2.89466, -1.66853, -0.93359, -0.33397, 0.22773, 0.81519, 1.51628, 2.57742, -2.7743, -1.61652,
      -0.89377, -0.29845, 0.26304, 0.85431, 1.56586, 2.6699,
    ],
  },
  {
    rows: 16,
    gaussian: 0.009518,
    worst: 0.037830,
    half: [
      -4.86751, -2.51762, -1.90681, -1.48042, -1.12822, -0.8173, -0.53076, -0.2581, 0.0083, 0.27488, 0.54817, 0.83588,
      1.14878, 1.50442, 1.93883, 2.58788, -3.79126, -2.4475, -1.87638, -1.45674, -1.10781, -0.79881, -0.5134,
      -0.24133, 0.02489, 0.2917, 0.56564, 0.85457, 1.16952, 1.52879, 1.97158, 2.6251, -3.48786, -2.39908, -1.84714,
      -1.43335, -1.08755, -0.78041, -0.49609, -0.22459, 0.04148, 0.30854, 0.58316, 0.87334, 1.19042, 1.55351, 2.00434,
      2.66381, -3.30548, -2.35622, -1.81856, -1.4102, -1.06743, -0.76209, -0.47883, -0.20787, 0.05808, 0.32541,
      0.60075, 0.89223, 1.21151, 1.57857, 2.03721, 2.70432, -3.18418, -2.31643, -1.79047, -1.38728, -1.04745,
      -0.74386, -0.46162, -0.19117, 0.07468, 0.34231, 0.6184, 0.91122, 1.23278, 1.60395, 2.07027, 2.74703, -3.09378,
      -2.27853, -1.76281, -1.36458, -1.02761, -0.72571, -0.44446, -0.17449, 0.09129, 0.35924, 0.63611, 0.93032,
      1.25424, 1.62964, 2.1036, 2.79241, -3.01807, -2.24192, -1.73552, -1.3421, -1.0079, -0.70764, -0.42733, -0.15782,
      0.10791, 0.37621, 0.65389, 0.94953, 1.2759, 1.65564, 2.13731, 2.84113, -2.95243, -2.20632, -1.70857, -1.31983,
      -0.98832, -0.68965, -0.41025, -0.14117, 0.12453, 0.39321, 0.67173, 0.96887, 1.29776, 1.68195, 2.1715, 2.89406,
    ],
  },
];

/** Beyond what one bit of QUIC-FL is made for; the mean of the highest values comes out at 3.0955. */
const LIMIT = 3.15;

/**
 * The values of one bit in closed form, the first half of `rows`. With F the distribution function of N(0, 1) on [−T, T], the
 * best threshold s has density √(F(s)(1 − F(s))) / J, J the integral of the root, and the receiver's values for z below and
 * above it are −J √((1 − F) / F) and J √(F / (1 − F)): unbiased for every z with E R² = J², the least there is. Each row
 * takes the threshold at the middle of its share. Only + − × ÷ and roots, so both ends get the same bits.
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

/** P(N(0, 1) < x) for |x| < 4, by its power series, to 1e-12. */
function normalBelow(x: number): number {
  let term = x, sum = x;
  for (let n = 1; n < 80; n++) {
    term *= -x * x / (2 * n);
    sum += term / (2 * n + 1);
  }
  return 0.5 + 0.3989422804014327 * sum;
}
