/** No memory in proportion to the vector is allocated in a call, beyond the message: it would be the step's. */

import { assert, assertEquals } from "@std/assert/mod.js";
import { compress, type Compressor, parseCompressor } from "../../compressors/mod.ts";
import { key, normal } from "../../random.ts";
import { configurations } from "./everywhere/everywhere.ts";

const size = 2 ** 16, vector = normal(key(1), new Float32Array(size)), into = new Float32Array(size);

/** The most bytes of typed arrays that one of some calls allocates, after two that may fill the scratch memory. */
function allocated(compressor: Compressor): number {
  const buffer = new Uint8Array(compressor.maxByteLength(size));
  let most = 0;
  for (let i = 0; i < 5; i++) {
    const { external: before } = Deno.memoryUsage();
    const message = compress(compressor, vector, key(i), buffer);
    const { external: between } = Deno.memoryUsage();
    compressor.decodeAdd(message, key(i), 1, into);
    if (i >= 2) most = Math.max(most, between - before, Deno.memoryUsage().external - between);
  }
  return most;
}

Deno.test("compressors allocate no array that grows with the vector", () => {
  // atomo's singular value decomposition does; perTensor is for vectors of one length.
  const texts = configurations.filter((text) => !/^(atomo|perTensor)/.test(text));
  const found = texts.filter((text) => allocated(parseCompressor(text)) > size / 4);
  assertEquals(found, []);
});

Deno.test("a mutant that copies the vector, or a byte a number of it, is caught", () => {
  const sound = parseCompressor("scaledSign");
  const copies: Compressor = { ...sound, encode: (x, k, message) => sound.encode(x.slice(), k, message) };
  const masks: Compressor = {
    ...sound,
    decodeAdd: (message, k, scale, into) =>
      sound.decodeAdd(message, k, new Uint8Array(into.length).length && scale, into),
  };
  assert(allocated(copies) >= 4 * size && allocated(masks) >= size && allocated(sound) < size / 4);
});
