/**
 * Every factory of compressors and methods with whatever a caller may write: it makes something that works, or says in a
 * sentence what is wrong.
 *
 * @module
 */

import { compress, type Compressor, decompress, isContractive, isUnbiased } from "../../compressors/mod.ts";
import { key } from "../../random.ts";
import { adversarialVector } from "../../testing/mod.ts";
import { accepts, type Area, type Try } from "./area.ts";
import { compressors, methods } from "./factories.ts";
import { anyOptions, anyValue } from "./values.ts";

type Factory = (...values: unknown[]) => unknown;
const factories = { ...compressors, ...methods } as unknown as Record<string, Factory>;
const names = Object.keys(factories);

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
  const values = Array.from({ length: count }, () => draw.once(2) ? anyOptions(draw) : anyValue(draw));
  note({ call: name, values });
  let made: unknown;
  if (!accepts(() => void (made = factories[name]!(...values)))) return false;
  if (typeof made !== "object" || made === null) throw new Error(`it made ${made}`);
  if ("encode" in made) accepts(() => use(made as Compressor));
  return true;
};

/** Options of factories. */
export const options: Area = { name: "options", share: 10, prepare };
