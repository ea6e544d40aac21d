/** What integers without dither cost in bits, to choose among them before they are coded. @module */

import { CLASSES, type DitherModel } from "./dither_model.ts";
import type { BitModels } from "./range_coder.ts";

/** Each j from −PRICED to PRICED has a price of its own, see {@link DitherModel}; beyond, the last one holds. */
const PRICED = 20, WIDTH = 2 * PRICED + 1;

/** The prices of one class: those of the even integers by j, and then those of the odd ones. */
export const PRICES = 2 * WIDTH;

/**
 * prices[class · PRICES + priceAt(z)] := `weight` times the bits that z costs with these models. No model moves: the price
 * of a number does not depend on how those before it are coded.
 */
export function priceAll(prices: Float64Array, model: DitherModel, models: BitModels, weight: number): void {
  const { bins, reach, children, paths } = model, nodes = children.length / 2;
  for (let c = 0, at = 0; c < CLASSES; c++) {
    for (let parity = 0; parity < 2; parity++) {
      // Without dither the origin of the odd integers is 1, as far from the dither as can be.
      const bin = parity === 1 ? bins - 1 : 0;
      for (let j = -PRICED; j <= PRICED; j++) {
        const escape = j < -reach || j > reach, token = escape ? 2 * reach + 1 : j + reach;
        let bits = escape ? 2 * (32 - Math.clz32(Math.abs(j) - reach)) : 0;
        for (let node = 0, path = paths[token]!; node >= 0; path >>= 1) {
          const p = models[(c * bins + bin) * nodes + node]! >>> 22;
          bits += BITS[path & 1 ? 255 - p : p]!;
          node = children[2 * node + (path & 1)]!;
        }
        prices[at++] = weight * bits;
      }
    }
  }
}

/** Where the price of an integer without dither is among those of its class. */
export function priceAt(z: number): number {
  const odd = z & 1, j = odd === 1 ? (1 - z) / 2 : z / 2;
  return odd * WIDTH + PRICED + Math.max(-PRICED, Math.min(PRICED, j));
}

/**
 * The bits of a decision whose probability is (p + ½) / 256: −log₂ of it, to 2⁻⁸. Computed by squaring, since Math.log2 is
 * not the same on every engine.
 */
const BITS = Float64Array.from({ length: 256 }, (_, p) => {
  let x = (p + 0.5) / 256, bits = 0;
  while (x < 0.5) x *= 2, bits++;
  for (let i = 1, part = 0.5; i <= 8; i++, part /= 2) {
    x *= x;
    if (x < 0.5) x *= 2, bits += part;
  }
  return bits;
});
