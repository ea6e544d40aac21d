import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  packLevels,
  roundNearest,
  roundRandom,
  scatterLevels,
  unpackLevels,
} from "../../../compressors/kernels/sparse_levels.ts";
import { key } from "../../../random.ts";

Deno.test("levels come back from any bit, and bits before are kept", () => {
  const level = fc.integer({ min: -70, max: 70 }).filter((v) => v !== 0);
  fc.assert(fc.property(fc.array(level, { maxLength: 30 }), fc.nat(20), (list, bitAt) => {
    const levels = Int32Array.from(list), message = new Uint8Array(400).fill(255), back = new Int32Array(list.length);
    const end = packLevels(levels, levels.length, message, bitAt);
    assertEquals(end, bitAt + list.reduce((sum, v) => sum + 1 + Math.abs(v), 0));
    assert(message.subarray(0, bitAt >>> 3).every((byte) => byte === 255));
    for (const bytes of [message, message.subarray(0, end + 7 >>> 3)]) {
      assertEquals(unpackLevels(bytes, bitAt, levels.length, 70, back), end);
      assertEquals(back, levels);
    }
    if (list.some((v) => Math.abs(v) === 70)) assertEquals(unpackLevels(message, bitAt, list.length, 69, back), -1);
  }));
  const message = new Uint8Array(1);
  packLevels(Int32Array.of(2, -1), 2, message, 0);
  assertEquals(message[0]!.toString(2).padStart(8, "0"), "01100000");
});

Deno.test("nearest levels: halves up in magnitude, zeros left out", () => {
  const x = Float32Array.of(0.4, -0.5, 0, 2.6, -100), positions = new Uint32Array(6), levels = new Int32Array(6);
  const count = roundNearest(x, 1, 50, positions, levels), into = new Float32Array(5);
  assertEquals([[...positions.subarray(0, count)], [...levels.subarray(0, count)]], [[1, 3, 4], [-1, 3, -50]]);
  scatterLevels(positions, levels, count, 0.5, into);
  assertEquals([...into], [0, -0.5, 0, 1.5, -25]);
});

Deno.test("random levels have the number as the mean, and whole numbers stay", () => {
  const x = Float32Array.of(0.3, -1.75, 2, 0), draws = 20000, mean = new Float64Array(4);
  const positions = new Uint32Array(5), levels = new Int32Array(5);
  for (let i = 0; i < draws; i++) {
    const count = roundRandom(x, 1, 50, key(i), positions, levels);
    for (let j = 0; j < count; j++) mean[positions[j]!]! += levels[j]! / draws;
  }
  assertEquals([mean[2]!.toFixed(9), mean[3]], ["2.000000000", 0]);
  x.forEach((v, j) => assertAlmostEquals(mean[j]!, v, 2.5 / Math.sqrt(draws)));
});
