/**
 * Every factory of compressors and methods with whatever a caller may write: it makes something that works, or says in a
 * sentence what is wrong.
 *
 * @module
 */

import * as compressors from "../../compressors/factories.ts";
import { compress, type Compressor, decompress, identity, isContractive, isUnbiased } from "../../compressors/mod.ts";
import * as methods from "../../optimizers/factories.ts";
import { key } from "../../random.ts";
import { adversarialVector } from "../../testing/mod.ts";
import { accepts, type Area, type Try } from "./area.ts";
import type { Draw } from "./draw.ts";

type Factory = (...values: unknown[]) => unknown;
const factories = { ...compressors, ...methods } as unknown as Record<string, Factory>;
const names = Object.keys(factories);

/** Every option there is, by its name. */
const OPTIONS = "k ratio levels norm coding clip format rounding block omega states keep proportion nu scale".split(" ")
  .concat(
    "centroids rateDistortion alpha unbiased budget shared rounds bits biased p whole tau relative values draws rank columns"
      .split(
        " ",
      ),
    "probabilities centre delay momentum nesterov plus shiftStep terms form refresh convexity smoothness".split(" "),
    "parameters probability dense minimumRate startStep masking warmupSteps sample beta1 beta2 epsilon".split(" "),
    "compressor every reducer fraction localSteps globalRate option steps from below names shapes size".split(" "),
    ["__proto__", "constructor", "toString", "encode", "", "levles"],
  );
const VALUES: readonly unknown[] = [
  ...[0, 1, 2, 3, 4, 8, 0.5, 0.1, 0.25, 1.5, -1, -0, NaN, Infinity, -Infinity, 1e-320, 2 ** 31, 2 ** 53, 1e300, 256],
  ...[undefined, null, true, false, "", "text", "1", "l2", "max", "elias", "entropy", "nearest", "random", "fp16"],
  ...["log", "float32", "tau", "exact", "uniform", "zero", "table", "B", "I", [], [1], [[2, 3]], {}, 10n, Symbol("x")],
  ...[() => 1, () => identity(), identity, new Date(0), new Float32Array(3), new Map(), /x/, Object.create(null)],
  ...[identity(), methods.average(), compressors.topK({ k: 2 }), compressors.randK({ k: 2 }), compressors.oneBit()],
  { names: ["a"], shapes: [[9]], size: 9 },
];

function valueFrom(draw: Draw, depth: number): unknown {
  if (depth > 0 && draw.once(3)) return optionsFrom(draw, depth - 1);
  if (draw.once(6)) return draw.below(300) / draw.of([1, 1, 100, 300]);
  return draw.of(VALUES);
}

function optionsFrom(draw: Draw, depth: number): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (let left = draw.below(4); left > 0; left--) {
    Object.defineProperty(options, draw.of(OPTIONS), {
      value: valueFrom(draw, depth),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return options;
}

const vector = adversarialVector("gaussian", 9), k = key(2);

/** Uses a compressor that was made. What takes long by its options is left out. */
function use(compressor: Compressor): void {
  if (isUnbiased(compressor) && !(compressor.omega(9) >= 0)) throw new Error(`its ω is ${compressor.omega(9)}`);
  if (isContractive(compressor) && !(compressor.alpha(9) >= 0 && compressor.alpha(9) < 1)) {
    throw new Error(`its α is ${compressor.alpha(9)}`);
  }
  const most = compressor.maxByteLength(9);
  if (!Number.isSafeInteger(most) || most < 0) throw new Error(`its most bytes are ${most}`);
  if (most > 4000 || JSON.stringify(compressor.options).includes("budget") || !quick(compressor)) return;
  const message = compress(compressor, vector, k);
  if (!decompress(compressor, message, k, 9).every(Number.isFinite)) {
    throw new Error("it decodes to what is not finite");
  }
}

/** Whether encoding takes no search of thousands. */
function quick({ name, options, parts = [] }: Compressor): boolean {
  const slow = name === "sphericalCompression" && !(Number(options.alpha) > 0.2 && Number(options.block) < 9);
  return !slow && parts.every((part) => typeof part === "number" || quick(part));
}

const prepare = (): Try => (draw, note) => {
  const name = draw.of(names), count = draw.below(4);
  const values = Array.from({ length: count }, () => draw.once(2) ? optionsFrom(draw, 2) : valueFrom(draw, 2));
  note({ call: name, values });
  let made: unknown;
  if (!accepts(() => void (made = factories[name]!(...values)))) return false;
  if (typeof made !== "object" || made === null) throw new Error(`it made ${made}`);
  if ("encode" in made) accepts(() => use(made as Compressor));
  return true;
};

/** Options of factories. */
export const options: Area = { name: "options", share: 10, prepare };
