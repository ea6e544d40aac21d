import { assert, assertEquals } from "@std/assert/mod.js";
import { normFrom31, normTo31 } from "../../../compressors/coding/norm.ts";

Deno.test("norms of 31 bits", () => {
  for (const value of [0, 1, 1e-45, 1e-40, 3.4e38, 1e30]) assertEquals(normFrom31(normTo31(value)), Math.fround(value));
  for (const value of [3.5e38, 1e39, 1e42]) {
    const back = normFrom31(normTo31(value));
    assert(Math.abs(back / value - 1) < 2e-6 && normTo31(value) < 2 ** 31 - 1, `${value}: ${back}`);
  }
});
