import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert/mod.js";
import { adversarialVector } from "../../testing/vectors.ts";

Deno.test("adversarial vectors are what their names say", () => {
  assertEquals([...adversarialVector("oneHot", 4)], [0, 0, -3, 0]);
  assert(adversarialVector("negativeZeros", 3).every((value) => Object.is(value, -0)));
  assert(adversarialVector("subnormal", 9).every((value) => Math.abs(value) < 2 ** -126));
});

Deno.test("adversarial vectors differ by kind, size and seed, and unknown kinds are refused", () => {
  const head = (kind: string, size: number, seed: number) => [...adversarialVector(kind, size, seed).subarray(0, 8)];
  const gaussian = head("gaussian", 8, 1);
  assertNotEquals(head("gaussian", 9, 1), gaussian);
  assertNotEquals(head("gaussian", 8, 2), gaussian);
  assertNotEquals(head("offset", 8, 1).map((value) => value - 5), gaussian);
  assert(head("offset", 8, 1).some((value, i) => Math.abs(value - 5 - gaussian[i]!) > 1e-3));
  assertThrows(
    () => adversarialVector("gausian", 3),
    RangeError,
    'of kind "gausian": expected one of gaussian, lognormal',
  );
});
