/**
 * The Lloyd–Max quantizers of the standard normal law: of all quantizers of so many levels, those of least mean squared error.
 * Computed by `deno run benches/tools/solve_quantizers.ts`, which describes how. Both ends of a message must have the same
 * digits.
 *
 * @module
 */

/** The positive levels by the number of bits, from 0 bits on; the negative ones mirror them. */
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

/** The mean squared error on the standard normal law, by the number of bits. */
export const DISTORTION: readonly number[] = [
  1,
  0.363380228,
  0.117481848,
  0.034547761,
  0.009501008,
  0.002504668,
  0.000644240,
];
