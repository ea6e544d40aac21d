/** A compressor with one fault, and what the suite says of it. @module */

import { assert, assertEquals } from "@std/assert/mod.js";
import { type Compressor, describe, identity, randK, type UnbiasedCompressor } from "../../compressors/mod.ts";
import { compressorProperties, type CompressorPropertiesOptions } from "../../testing/mod.ts";

/** What is wrong, the claim that it violates, what the suite says, and what it is told. */
export type Fault = [what: string, Compressor, claim: string, says: RegExp, CompressorPropertiesOptions?];

/** Sends everything. */
export const whole = identity();
/** Half of the numbers, doubled: ω = 1 for even sizes. */
export const half = randK({ ratio: .5 });

/** The error of the one property whose claim begins so, or undefined if it holds. */
export function complaint(
  compressor: Compressor,
  claim: string,
  options: CompressorPropertiesOptions,
): string | undefined {
  const start = describe(compressor).length + 2;
  const found = compressorProperties(compressor, options).filter(({ name }) => name.slice(start).startsWith(claim));
  assertEquals(found.length, 1, claim);
  try {
    void found[0]!.check();
    return undefined;
  } catch (error) {
    // fast-check tells the counterexample, and has the suite's words below it.
    return ((error as Error).cause as Error ?? error).message;
  }
}

/** `half` whose numbers come out as `change` makes them. */
export function decodedAs(change: (value: number, i: number) => number): UnbiasedCompressor {
  return {
    ...half,
    decodeAdd(message, key, scale, into) {
      const own = new Float32Array(into.length);
      half.decodeAdd(message, key, 1, own);
      own.forEach((value, i) => into[i]! += scale * change(value, i));
    },
  };
}

/** A test for each fault: that the suite says so. */
export function testFaults(faults: readonly Fault[]): void {
  for (const [what, compressor, claim, says, options = {}] of faults) {
    Deno.test(`compressorProperties says what is wrong with a compressor that ${what}`, () => {
      const said = complaint(compressor, claim, options);
      assert(said !== undefined && says.test(said), `said ${said?.slice(0, 300)}, expected ${says}`);
    });
  }
}
