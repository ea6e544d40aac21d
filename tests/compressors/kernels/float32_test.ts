import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import {
  addClamped,
  clampFloat32,
  clampVector,
  exponentOf,
  floatOf,
  floorFloat32,
  MAX_FLOAT32,
  powerOfTwo,
  wordOf,
} from "../../../compressors/kernels/float32.ts";

Deno.test("a float is made of its bits", () => {
  assertEquals([0, -0, 1, -2, MAX_FLOAT32].map(wordOf), [0, 0x80000000, 0x3f800000, 0xc0000000, 0x7f7fffff]);
  fc.assert(fc.property(fc.float({ noNaN: true }), (value) => assertEquals(floatOf(wordOf(value)), value)));
});

Deno.test("clamping moves what is beyond float32, and nothing else", () => {
  assertEquals([1e39, -Infinity, 3, -MAX_FLOAT32].map(clampFloat32), [MAX_FLOAT32, -MAX_FLOAT32, 3, -MAX_FLOAT32]);
  const vector = Float32Array.of(Infinity, -Infinity, 5);
  clampVector(vector);
  assertEquals([...vector], [MAX_FLOAT32, -MAX_FLOAT32, 5]);
  const into = Float32Array.of(1, 1);
  addClamped(Float32Array.of(4, 1e38, 7), 10, 0.5, into);
  assertEquals([...into], [21, Math.fround(MAX_FLOAT32 / 2)]);
});

Deno.test("floorFloat32 is the next float32 below", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 1e40, noNaN: true }), (value) => {
    const floor = floorFloat32(value);
    assertEquals(Math.fround(floor), floor);
    assert(floor <= value && (floor === MAX_FLOAT32 || floatOf(wordOf(floor) + 1) > value), `${floor} for ${value}`);
  }));
});

Deno.test("exponentOf and powerOfTwo find the power of two below a number", () => {
  assertEquals([0, 1, 1.99, 2, 0.3, 2 ** -149].map(exponentOf), [0, 0, 0, 1, -2, -149]);
  assertEquals([0, 1, 1.99, 2, 0.3, 2 ** -149].map(powerOfTwo), [1, 1, 1, 2, 0.25, 2 ** -149]);
  fc.assert(fc.property(fc.double({ min: 2 ** -1022, max: 1e308, noNaN: true }), (value) => {
    const power = powerOfTwo(value);
    assert(power <= value && value / 2 < power && power === 2 ** exponentOf(value));
  }));
});
