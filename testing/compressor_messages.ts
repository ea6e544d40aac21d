/** What holds of every compressor's messages, whatever it declares of its error. @module */

import { compress, decompress } from "../compressors/compress.ts";
import fc from "../dependencies/fast_check.ts";
import { fold, type Key, normal } from "../random.ts";
import { assert, excerpt } from "./compare.ts";
import { bytesOf, equalBytes } from "../bytes.ts";
import { largest, squaredDistance, squaredNorm } from "../compressors/kernels/sums.ts";
import type { CompressorTrial } from "./compressor_trial.ts";
import type { Property } from "./property.ts";
import { adversarialKinds, adversarialVector } from "./vectors.ts";

/** The properties of messages, see `compressorProperties`. */
export function messageProperties(trial: CompressorTrial): Property[] {
  const { compressor, seed, draws, sizes, root, declared, cases, property } = trial;
  const runs = { seed, numRuns: Math.max(10, Math.min(100, draws >> 4)) };

  // Every kind at every size, and what fast-check makes up: any finite float32, shrunk to the simplest that fails.
  const anySize = fc.constantFrom(...sizes);
  const anyVector = fc.oneof(
    fc.tuple(fc.constantFrom(...adversarialKinds), anySize, fc.nat(1e6)).map(([kind, size, seed]) =>
      adversarialVector(kind, size, seed)
    ),
    anySize.chain((size) =>
      fc.float32Array({ minLength: size, maxLength: size, noNaN: true, noDefaultInfinity: true })
    ),
  );
  const anyKey = fc.tuple(fc.integer(), fc.integer());

  return [
    property("equal vector and key give equal bytes, no more than declared, and the vector is left alone", () => {
      const check = (vector: Float32Array, key: Key) => {
        const size = vector.length, most = compressor.maxByteLength(size), before = bytesOf(vector).slice();
        assert(Number.isSafeInteger(most) && most >= 0, () => `maxByteLength(${size}) is ${most}`);
        const first = new Uint8Array(most), written = compressor.encode(vector, key, first);
        assert(written <= most, () => `${written} bytes were written for ${size} numbers, declared ${most}`);
        // Elsewhere in memory, after another vector, over garbage.
        const moved = new Float32Array(size + 3).subarray(3), room = new Uint8Array(most + 9).fill(0xa5);
        moved.set(vector);
        compress(compressor, new Float32Array(sizes.at(-1)!).fill(1), fold(key, 9));
        const second = compress(compressor, moved, key, room.subarray(1, 1 + most));
        const bytes = first.subarray(0, written);
        assert(equalBytes(bytes, second), () => `equal inputs gave ${bytes} and ${second}`);
        assert(equalBytes(before, bytesOf(vector)), () => `the vector was modified`);
        assert(room[0] === 0xa5 && room.subarray(1 + most).every((b) => b === 0xa5), () => `wrote outside the message`);
      };
      for (const [, vector] of cases(adversarialKinds, sizes)) check(vector, root);
      fc.assert(fc.property(anyVector, anyKey, check), runs);
    }),

    property("decoding is finite, linear in scale and added to what is there", () => {
      const check = (vector: Float32Array, key: Key, scale: number) => {
        const size = vector.length, message = compress(compressor, vector, key), copy = message.slice();
        const once = decompress(compressor, message, key, size);
        assert(once.every(Number.isFinite), () => `decoded ${excerpt(once)} from ${excerpt(vector)}`);
        assert(equalBytes(message, copy), () => `decoding modified the message`);
        const most = largest(once);
        if (most * Math.abs(scale) > 1e37) return; // the sum would overflow
        const room = normal(fold(key, 1), new Float32Array(size + 8)), before = room.slice();
        if (most > 0) { for (let i = 0; i < room.length; i++) before[i] = room[i]! *= Math.min(most, 1e37); }
        const away = new Uint8Array(message.length + 3).subarray(3);
        away.set(message);
        compressor.decodeAdd(away, key, scale, room.subarray(4, 4 + size));
        const tolerance = 2e-6 * (Math.abs(scale) * most + largest(before)) + 1e-44;
        for (let i = 0; i < room.length; i++) {
          const inside = 4 <= i && i < 4 + size, expected = before[i]! + (inside ? scale * once[i - 4]! : 0);
          assert(
            inside ? Math.abs(room[i]! - expected) <= tolerance : room[i] === before[i],
            () => `decodeAdd at scale ${scale} left ${room[i]} at ${i - 4}, expected ${expected}: ${excerpt(vector)}`,
          );
        }
        const zero = new Float32Array(size).fill(1);
        compressor.decodeAdd(message, key, 0, zero);
        assert(zero.every((v) => v === 1), () => `decodeAdd at scale 0 changed the vector`);
      };
      for (const [, vector] of cases(adversarialKinds, sizes)) check(vector, root, -1);
      fc.assert(fc.property(anyVector, anyKey, fc.constantFrom(1, -1, 0.25, -1 / 3, 7), check), runs);
    }),

    property("a message decodes from its bytes, key and length alone, whatever was encoded since", () => {
      for (const [label, vector] of cases(["gaussian", "oneHot"], sizes)) {
        const message = compress(compressor, vector, root).slice();
        const before = decompress(compressor, message, root, vector.length);
        // Of this key and length, and of others: what the sender may remember is another vector's now.
        compress(compressor, adversarialVector("lognormal", vector.length, seed + 1), root);
        compress(compressor, adversarialVector("ramp", sizes.at(-1)!, seed), fold(root, 1));
        const after = decompress(compressor, message, root, vector.length);
        assert(
          equalBytes(bytesOf(before), bytesOf(after)),
          () => `${label} was decoded to ${excerpt(before)}, and later to ${excerpt(after)}`,
        );
      }
    }),

    property("zeros are decoded to zeros", () => {
      for (const [label, vector] of cases(["zeros", "negativeZeros"], sizes)) {
        const decoded = decompress(compressor, compress(compressor, vector, root), root, vector.length);
        assert(decoded.every((v) => v === 0), () => `${label} came back as ${excerpt(decoded)}`);
      }
    }),

    property("a message that is not one of its own throws RangeError or decodes to finite values, soon", () => {
      const check = (message: Uint8Array, key: Key, size: number) => {
        const room = new Float32Array(size + 8), into = room.subarray(4, 4 + size), start = performance.now();
        try {
          compressor.decodeAdd(message, key, 1, into);
          assert(into.every(Number.isFinite), () => `${message} decoded to ${excerpt(into)} for ${size} numbers`);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
        const outside = room.subarray(0, 4).some(Boolean) || room.subarray(4 + size).some(Boolean);
        assert(!outside, () => `${message} made it write outside of the vector of ${size} numbers`);
        const took = performance.now() - start;
        assert(took < 2000, () => `${message} of ${message.length} bytes took ${took} ms for ${size} numbers`);
      };
      const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
      fc.assert(
        fc.property(
          anyVector,
          anyKey,
          damage,
          fc.nat(),
          fc.uint8Array({ maxLength: 20 }),
          (vector, key, flips, cut, tail) => {
            const message = compress(compressor, vector, key).slice(), size = vector.length;
            check(message.subarray(0, cut % (message.length + 1)), key, size);
            check(Uint8Array.of(...message, ...tail), key, size);
            check(message, key, size + 1);
            if (size > 0) check(message, key, size - 1);
            const flipped = message.slice();
            for (const [at, bits] of flips) if (message.length > 0) flipped[at % message.length]! ^= bits;
            check(flipped, key, size);
          },
        ),
        { ...runs, numRuns: 2 * runs.numRuns },
      );
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(), anyKey, anySize, (message, head, key, size) => {
          check(message, key, size);
          check(message.fill(255), key, size);
          // Declared as ours for its length, then noise.
          const own = compress(compressor, adversarialVector("gaussian", size), key).slice();
          own.set(message.subarray(0, Math.max(0, own.length - head % 9)), Math.min(own.length, head % 9));
          check(own, key, size);
        }),
        runs,
      );
    }),

    property("a byte too many or too few at the end is refused, or changes what is decoded", () => {
      for (const size of sizes.filter((size) => size >= 61)) {
        const message = compress(compressor, adversarialVector("gaussian", size, seed), root).slice();
        const decoded = decompress(compressor, message, root, size);
        const passedOver = (other: Uint8Array) => {
          try {
            return equalBytes(bytesOf(decompress(compressor, other, root, size)), bytesOf(decoded));
          } catch (error) {
            if (error instanceof RangeError) return false;
            throw error;
          }
        };
        for (const last of [0, 1, 0x80, 0xff]) {
          const longer = Uint8Array.of(...message, last);
          assert(!passedOver(longer), () => `byte ${last} after a message of ${message.length} is passed over`);
        }
        const some = message.length > 0 && decoded.some((value) => value !== 0);
        assert(
          !(some && passedOver(message.subarray(0, -1))),
          () => `the last byte of ${message.length} is not needed`,
        );
      }
    }),

    property("loses what it declares to lose: the message does not just carry the vector", () => {
      for (const size of sizes.filter((size) => size >= 61 && declared(size) > 0)) {
        let lost = 0;
        for (let i = 0; i < 8; i++) {
          const vector = adversarialVector("gaussian", size, seed + i);
          const decoded = decompress(compressor, compress(compressor, vector, fold(root, i)), fold(root, i), size);
          lost += squaredDistance(decoded, vector) / squaredNorm(vector);
        }
        assert(lost > 1e-13, () => `no error in 8 vectors of ${size}, declared ${declared(size)}`);
      }
    }),
  ];
}
