/**
 * The suite's power on every compressor of the library: each of the faults below, put into each, is caught by the property
 * named. (Faults within the arithmetic, as an inverted rounding, are put into toy operators in tests/testing.)
 */

import { assert } from "@std/assert/mod.js";
import {
  type Compressor,
  describe,
  isContractive,
  isLinear,
  isUnbiased,
  parseCompressor,
} from "../../compressors/mod.ts";
import { key } from "../../random.ts";
import { compressorProperties } from "../../testing/mod.ts";
import { configurations } from "./everywhere/everywhere.ts";

const ONE_KEY = key(3), SIZE = 64;
/** perTensor is for vectors of one length, not of this, and made of others. */
const compressors = configurations.filter((text) => !text.startsWith("perTensor")).map(parseCompressor);

/** A compressor with a fault in it, or undefined where it could not have the fault; and the property that sees it. */
const mutants: Record<string, { caught: string; make(c: Compressor): Compressor | undefined }> = {
  "identity: the message carries the vector": {
    caught: "loses what it declares to lose",
    make: (c) =>
      declared(c) > 0
        ? {
          ...c,
          maxByteLength: (size) => 4 * size,
          encode(vector, _key, message) {
            message.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
            return vector.byteLength;
          },
          decodeAdd(message, _key, scale, into) {
            new Float32Array(message.slice().buffer).forEach((value, i) => into[i]! += scale * value);
          },
        }
        : undefined,
  },
  "a factor is missing": {
    caught: "is unbiased",
    make: (c) =>
      isUnbiased(c)
        ? { ...c, decodeAdd: (message, key, scale, into) => c.decodeAdd(message, key, 0.8 * scale, into) }
        : undefined,
  },
  "one key for all ranks and steps": {
    caught: "the errors of two ranks",
    make: (c) =>
      isUnbiased(c) && declared(c) > 0 && !isLinear(c)
        ? {
          ...c,
          encode: (vector, _key, message) => c.encode(vector, ONE_KEY, message),
          decodeAdd: (message, _key, scale, into) => c.decodeAdd(message, ONE_KEY, scale, into),
        }
        : undefined,
  },
  "ω is declared 0": {
    caught: "its variance is at most ω",
    make: (c) => isUnbiased(c) && declared(c) > 0 ? { ...c, omega: () => 0 } as Compressor : undefined,
  },
  "α is declared a thousandth": {
    caught: "its mean squared error is at most α",
    make: (c) =>
      isContractive(c) && c.alpha(SIZE) > 0
        ? { ...c, alpha: (size: number) => c.alpha(size) / 1000 } as Compressor
        : undefined,
  },
  "overwrites what is there": {
    caught: "decoding is finite, linear",
    make: (c) => ({ ...c, decodeAdd: (message, key, scale, into) => c.decodeAdd(message, key, scale, into.fill(0)) }),
  },
  "the second half is lost": {
    caught: "is unbiased",
    make: (c) =>
      isUnbiased(c)
        ? {
          ...c,
          decodeAdd(message, key, scale, into) {
            const kept = into.slice(into.length >> 1);
            c.decodeAdd(message, key, scale, into);
            into.set(kept, into.length >> 1);
          },
        }
        : undefined,
  },
};

function declared(c: Compressor): number {
  return Math.min(isUnbiased(c) ? c.omega(SIZE) : Infinity, isContractive(c) ? c.alpha(SIZE) : Infinity);
}

/** Runs the property whose claim begins so; returns whether it failed. */
function fails(compressor: Compressor, claim: string): boolean {
  const options = { draws: 500, sizes: [SIZE], kinds: ["gaussian", "allEqual", "ramp"] };
  const start = describe(compressor).length + 2;
  const property = compressorProperties(compressor, options).find(({ name }) => name.slice(start).startsWith(claim));
  if (property === undefined) throw new Error(`there is no property "${claim}" for ${describe(compressor)}`);
  try {
    property.check();
    return false;
  } catch (error) {
    if (error instanceof TypeError) throw error; // a fault of the test's own
    return true;
  }
}

for (const [fault, { caught, make }] of Object.entries(mutants)) {
  Deno.test(`${fault}: "${caught} …" fails for each compressor, and holds without the fault`, () => {
    for (const compressor of compressors) {
      const mutant = make(compressor);
      if (mutant === undefined) continue;
      assert(fails(mutant, caught), `${describe(compressor)} with this fault passed`);
      assert(!fails(compressor, caught), `${describe(compressor)} without this fault failed`);
    }
  });
}
