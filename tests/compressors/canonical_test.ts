/**
 * A decoder takes what an encoder writes and nothing beside it: no bit of a message is idle, no byte may follow, and fields
 * are in their range and order.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, decompress, parseCompressor } from "../../compressors/mod.ts";
import { key } from "../../random.ts";
import { adversarialVector } from "../../testing/mod.ts";
import { configurations } from "./everywhere/everywhere.ts";
import { gaussian } from "./tools/draws.ts";

/**
 * Those whose messages hold float32 that are multiplied before they are added, or added to larger ones: the last bits of some
 * are lost in the rounding of the sum, and so a change of them is.
 */
const rounded = /^(randK|induced|eden|bernoulli|compose|randomizedMean|atomo|kashin|quicFl)\b/;

for (const text of configurations.filter((text) => !rounded.test(text) && !text.startsWith("perTensor"))) {
  Deno.test(`${text}: every bit that is changed is refused, or changes what is decoded`, () => {
    const compressor = parseCompressor(text), idle: string[] = [];
    for (const [size, seed] of [[33, 1], [61, 2], [61, 3]] as const) {
      const k = key(seed), message = compress(compressor, adversarialVector("gaussian", size, seed), k).slice();
      const decoded = decompress(compressor, message, k, size);
      for (let bit = 0; bit < 8 * message.length; bit++) {
        const changed = message.slice();
        changed[bit >> 3]! ^= 128 >> (bit & 7);
        if (sameAs(compressor, changed, size, seed, decoded)) idle.push(`bit ${bit} of ${8 * message.length}`);
      }
    }
    assertEquals(idle, []);
  });
}

for (const text of configurations.filter((text) => !text.startsWith("perTensor"))) {
  Deno.test(`${text}: a byte more or less at the end is refused, or changes what is decoded`, () => {
    const compressor = parseCompressor(text), passed: string[] = [];
    for (const kind of ["gaussian", "heavySparse", "allEqual"]) {
      for (const size of [33, 61]) {
        const message = compress(compressor, adversarialVector(kind, size), key(7)).slice();
        const decoded = decompress(compressor, message, key(7), size);
        for (let last = 0; last < 256; last++) {
          const longer = Uint8Array.of(...message, last);
          if (sameAs(compressor, longer, size, 7, decoded)) passed.push(`${kind} of ${size} and ${last}`);
        }
        const some = message.length > 0 && decoded.some((value) => value !== 0);
        if (some && sameAs(compressor, message.subarray(0, -1), size, 7, decoded)) passed.push(`${kind} of ${size}`);
      }
    }
    assertEquals(passed, []);
  });
}

/** Whether a message is decoded, and to these very numbers. */
function sameAs(compressor: Compressor, message: Uint8Array, size: number, seed: number, decoded: Float32Array) {
  try {
    return decompress(compressor, message, key(seed), size).every((value, i) => value === decoded[i]);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** A message of a compressor with some of its bytes replaced. */
function altered(text: string, change: (message: Uint8Array, view: DataView) => void, size = 33): () => void {
  const compressor = parseCompressor(text), message = compress(compressor, gaussian(size), key(1)).slice();
  return () => {
    change(message, new DataView(message.buffer));
    decompress(compressor, message, key(1), size);
  };
}

/** What no encoder writes: a compressor, the change, and the reason that is given. */
const foreign: [text: string, change: (message: Uint8Array, view: DataView) => void, why: string][] = [
  // Scales: negative, −0, not finite.
  ...["dithering({ levels: 4 })", "eden({ bits: 3 })", "crossPolytope({ draws: 5 })", "scaledSign", "blockwiseInt8"]
    .flatMap((text): typeof foreign => [
      [text, (_, view) => view.setFloat32(0, -1, true), "a scale is -1"],
      [text, (_, view) => view.setFloat32(0, -0, true), "a scale is −0"],
      [text, (_, view) => view.setFloat32(0, Infinity, true), "a scale is Infinity"],
    ]),
  // A minus before a norm means a multiple of 2⁶⁴: only where float32 ends.
  ["subtractiveDithering({ omega: 0.25 })", (_, view) => view.setFloat32(0, -1, true), "the norm is -1"],
  ["subtractiveDithering({ omega: 0.25 })", (_, view) => view.setFloat32(0, -0, true), "the norm is 0"],
  ["subtractiveDithering({ omega: 0.25 })", (_, view) => view.setFloat32(0, -1e38, true), "the norm is -"],
  ['sparseDithering({ coding: "entropy" })', (_, view) => view.setFloat32(0, -1, true), "a scale is -1"],
  ['sparseDithering({ scale: "log" })', (message) => message[0] = 254, "the scale's code is 254"],
  ['sparseDithering({ scale: "log" })', (message) => message.set([255, 0, 0, 128, 63]), "in five bytes"],
  // Two ends, or means of two signs, in their order.
  ["stochasticLevels({ levels: 4 })", (_, view) => view.setFloat32(0, 9, true), "the least number is 9"],
  ["zipml({ levels: 4 })", (_, view) => view.setFloat32(0, 9, true), "the least level is 9"],
  ["zipml({ levels: 4 })", (_, view) => view.setFloat32(4, -9, true), "the least level is"],
  ["zipml({ levels: 4 })", (_, view) => view.setFloat32(8, -9, true), "below the one before"],
  ["zipml({ levels: 4 })", (_, view) => view.setFloat32(12, 9, true), "below the one before"],
  ["oneBit", (_, view) => view.setFloat32(0, -1, true), "its means are -1"],
  ["oneBit", (_, view) => view.setFloat32(4, 1, true), "and 1, expected"],
  ["adaptiveQuantization({ proportion: 0.2 })", (_, view) => view.setFloat32(0, -1, true), "its means are -1"],
  ["adaptiveQuantization({ proportion: 0.2 })", (_, view) => view.setFloat32(4, 1, true), "and 1, expected"],
  ["oneBit", (_, view) => view.setFloat32(4, 0, true), "its bits say otherwise"],
  ["oneBit", (message) => message.fill(0, 8), "its bits say otherwise"],
  ["adaptiveQuantization({ proportion: 0.2 })", (_, view) => view.setFloat32(0, 0, true), "its signs are others"],
  ["adaptiveQuantization({ proportion: 0.2 })", (_, view) => view.setFloat32(4, 0, true), "its signs are others"],
  ["variableLength", (_, view) => view.setFloat32(4, -99, true), "its least number is -99"],
  // Codes that stand for nothing.
  ["blockwiseInt8", (message) => message[9] = 255, "a code is 255"],
  ["kashin", (message) => message[0] = 16, "the rotation is number 16"],
  ["kashin", (message) => (message.fill(0, 1, 5), message[0] = 3), "zeros have rotation number 3"],
  ["naturalCompression", (message) => message.set([0x80, 0]), "a number is −0"],
  ["naturalDithering({ levels: 5 })", (message) => message.fill(255, 4, 20), "a code is 15"],
  ["ternGrad", (message) => message[6] = 243, "a byte is 243"],
  ["ternGrad", (message) => message[10] = 27, "a digit too many"],
  // Lengths of parts.
  ["bucketed(qsgd({ levels: 4 }), 20)", (message) => message[0] = 2, "its first byte is 2"],
  ["bucketed(qsgd({ levels: 4 }), 20)", (message) => message[message.length - 1] = 0x80, "message 0 has -"],
];

foreign.forEach(([text, change, why], i) => {
  Deno.test(`${text}: refuses what no encoder writes, ${i}: ${why}`, () => {
    assertThrows(altered(text, change), RangeError, why);
  });
});

Deno.test("lengths of parts are refused with a group too many, and where all have their longest", () => {
  const compressor = parseCompressor("bucketed(qsgd({ levels: 4 }), 20)");
  const full = compress(parseCompressor("bucketed(identity, 20)"), gaussian(33), key(1));
  const decode = (bytes: readonly number[]) => () =>
    decompress(parseCompressor("bucketed(identity, 20)"), Uint8Array.from(bytes), key(1), 33);
  assertEquals(full[0], 0);
  assertThrows(decode([1, ...full.subarray(1), 0]), RangeError, "that all messages have");
  const message = compress(compressor, gaussian(33), key(1)), last = message.at(-1)!;
  assertEquals(message[0], 1);
  const padded = Uint8Array.of(...message.subarray(0, -1), 0, 128 | last);
  assertThrows(() => decompress(compressor, padded, key(1), 33), RangeError, "a group too many");
});
