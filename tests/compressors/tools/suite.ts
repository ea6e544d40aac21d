/** The conformance suite, run on one compressor of the library. @module */

import { assertEquals } from "@std/assert/mod.js";
import { compress, type Compressor, describe, parseCompressor } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { compressorProperties, type CompressorPropertiesOptions } from "../../../testing/mod.ts";
import { gaussian } from "./draws.ts";

/** Registers a test for each property of the suite, and one that the compressor's text makes it again. */
export function suite(compressor: Compressor, options: CompressorPropertiesOptions = {}): void {
  for (const { name, check } of compressorProperties(compressor, options)) Deno.test(name, check);
  const text = describe(compressor);
  Deno.test(`${text}: its text is the call that makes it`, () => {
    const copy = parseCompressor(text), x = gaussian(50);
    assertEquals(describe(copy), text);
    assertEquals(compress(copy, x, key(2)), compress(compressor, x, key(2)));
  });
}
