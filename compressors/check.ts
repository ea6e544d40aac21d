/** Checks of what a factory is called with, for callers whom the types do not reach: text, configuration, JavaScript. @module */

import {
  type Compressor,
  type ContractiveCompressor,
  describe,
  isContractive,
  isUnbiased,
  type UnbiasedCompressor,
} from "./compressor.ts";
import { isCompressor, wanted } from "./call.ts";
import { show } from "../options.ts";

/** @throws {TypeError} unless it is a compressor */
export function requireCompressor(doing: string, compressor: Compressor, such = "identity()"): void {
  if (isCompressor(compressor)) return;
  throw new TypeError(
    `Cannot ${doing}: the compressor is ${show(compressor)}, expected one such as ${wanted(compressor, such)}`,
  );
}

/** @throws {TypeError} unless it is a compressor that declares an ω */
export function requireUnbiased(doing: string, compressor: Compressor): asserts compressor is UnbiasedCompressor {
  requireCompressor(doing, compressor, "randK({ ratio: 0.1 })");
  if (!isUnbiased(compressor)) {
    throw new TypeError(
      `Cannot ${doing}: ${describe(compressor)} is not unbiased, expected a compressor with an omega, such as randK${
        induce(compressor)
      }`,
    );
  }
}

/** @throws {TypeError} unless it is a compressor that declares an α */
export function requireContractive(doing: string, compressor: Compressor): asserts compressor is ContractiveCompressor {
  requireCompressor(doing, compressor, "topK({ ratio: 0.1 })");
  if (!isContractive(compressor)) {
    throw new TypeError(
      `Cannot ${doing}: ${describe(compressor)} is ${isUnbiased(compressor) ? "unbiased, " : ""}not contractive, ` +
        (isUnbiased(compressor)
          ? `expected one with an alpha: wrap it, contractive(${describe(compressor)})`
          : "expected a compressor with an alpha, such as topK or contractive(unbiased)"),
    );
  }
}

/** How a compressor that is contractive becomes unbiased. */
function induce(compressor: Compressor): string {
  return isContractive(compressor)
    ? `: wrap it, induced(${
      describe(compressor)
    }, unbiased), where unbiased is randK or another; or feed errors back, ` +
      "with errorFeedback or ef21"
    : " or induced(biased, unbiased)";
}
