/** What the digits example is told, and the method it makes of it. @module */

import {
  type Compressor,
  contractive,
  type ContractiveCompressor,
  isContractive,
  isUnbiased,
  parseCompressor,
  sparseDithering,
  type UnbiasedCompressor,
} from "../../compressors/mod.ts";
import { average, diana, errorFeedback, type Method, none, parseMethod } from "../../optimizers/mod.ts";

/** The options of every rank. */
export interface DigitsOptions {
  readonly ranks: number;
  readonly method: string;
  readonly compressor?: string;
  readonly epochs: number;
  /** Digits in a step of one rank. */
  readonly batch: number;
  readonly seed: number;
  /** What is wrapped. */
  readonly optimizer: "adam" | "sgd" | "momentum";
  /** Its learning rate. */
  readonly rate: number;
  readonly backend: "wasm" | "cpu";
  /** How many digits to train on. */
  readonly digits: number;
  /** Where rank 0 writes its figures as JSON. */
  readonly json?: string;
}

/** What a run came to: the table that is shown at its end. */
export interface DigitsFigures {
  /** The share of the 10 000 test digits told right. */
  readonly accuracy: number;
  readonly seconds: number;
  readonly steps: number;
  /** Bytes per rank, had every step sent 32-bit floats. */
  readonly floatBytes: number;
  readonly encodedBytes: number;
  readonly sentBytes: number;
  /** Of each rank's weights. */
  readonly digests: readonly string[];
}

/**
 * The method. Error feedback and DIANA go over sparse dithering of the kind they take unless a compressor is named; any
 * other method is written as a call, `ef21(topK({ ratio: 0.01 }))`.
 *
 * @throws {RangeError} if there is no such method
 * @throws {TypeError} if it does not take the compressor
 */
export function makeMethod({ method, compressor: text }: Pick<DigitsOptions, "method" | "compressor">): Method {
  const compressor = text === undefined ? undefined : parseCompressor(text);
  switch (method) {
    case "average":
      return average(compressor);
    case "none":
      return none();
    case "diana":
      return diana(unbiased(compressor ?? sparseDithering({ nu: 1, rounding: "random" })));
    case "errorFeedback":
      return errorFeedback(contracting(compressor ?? sparseDithering({ nu: 0.5, rounding: "nearest" })));
  }
  if (compressor) {
    throw new TypeError(`Cannot use --compressor with --method ${method}: expected the compressor inside the call`);
  }
  return parseMethod(method);
}

function contracting(compressor: Compressor): ContractiveCompressor {
  if (isContractive(compressor)) return compressor;
  if (isUnbiased(compressor)) return contractive(compressor);
  throw new TypeError(`Cannot use ${compressor.name} with errorFeedback: it declares neither α nor ω`);
}

function unbiased(compressor: Compressor): UnbiasedCompressor {
  if (isUnbiased(compressor)) return compressor;
  throw new TypeError(
    `Cannot use ${compressor.name} with diana: it is biased; induced(biased, unbiased) makes it unbiased`,
  );
}
