import { assert, assertEquals } from "@std/assert/mod.js";
import { DitherCoder } from "../../../compressors/coding/dither_coder.ts";
import { CLASSES, classOf, ditherModel } from "../../../compressors/coding/dither_model.ts";
import { priceAll, priceAt, PRICES } from "../../../compressors/coding/dither_prices.ts";
import type { BitModels, RangeEncoder } from "../../../compressors/coding/range_coder.ts";
import { trellis } from "../../../compressors/coding/trellis.ts";

const code = trellis(1), model = ditherModel(code, 0.5 * code.limit, false);
const prices = new Float64Array(CLASSES * PRICES);

Deno.test("an integer's price is what coding it takes at the start of a message", () => {
  priceAll(prices, model, model.models, 1);
  const coder = new DitherCoder(code, model), row = classOf(model.mean, model.base) * PRICES;
  for (const z of [0, 2, -2, 6, -10, 24]) {
    let bits = 0;
    const counting = {
      bit(models: BitModels, i: number, bit: number) {
        const zero = (models[i]! >>> 8) * 2 ** -22;
        bits -= Math.log2(bit === 0 ? zero : 1 - zero);
      },
      raw(_value: number, count: number) {
        bits += count;
      },
    };
    coder.reset(false, 1000);
    coder.encode(counting as RangeEncoder, new Uint16Array(1), Int32Array.of(z), 1);
    // Prices take probabilities in 1/256.
    const price = prices[row + priceAt(z)]!;
    assert(Math.abs(bits - price) < 0.2, `${bits} bits for ${z}, priced at ${price}`);
  }
});

Deno.test("prices grow with the magnitude and in proportion to the weight", () => {
  priceAll(prices, model, model.models, 1);
  const row = classOf(model.mean, model.base) * PRICES, of = (z: number) => prices[row + priceAt(z)]!;
  for (let z = 0; z < 8; z += 2) assert(of(z) < of(z + 2), `${z}: ${of(z)}, ${of(z + 2)}`);
  assertEquals(of(1000), of(42));
  const once = prices.slice();
  priceAll(prices, model, model.models, 3);
  assertEquals([...prices], [...once].map((price) => 3 * price));
});

Deno.test("each parity counts from its own origin", () => {
  assertEquals([0, 2, -2, 4].map(priceAt), [20, 21, 19, 22]);
  assertEquals([1, -1, 3].map((z) => priceAt(z) - PRICES / 2), [20, 21, 19]);
});
