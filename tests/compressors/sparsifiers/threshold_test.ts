import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { decompress, threshold } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { encodeHex, once, ones, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

suite(threshold({ tau: 0.8 }), { draws: 1000, kinds: ["gaussian", "allEqual", "ramp", "ties", "huge"] });
suite(threshold({ relative: 0.7 }), {
  draws: 1000,
  lattice: (values, x) => values.every((value, i) => value === 0 || value === x[i]),
  // All but the first just below: they carry c² (d − 1) / d of the square.
  worst: (size) => size < 60 ? undefined : ones(size).fill(Math.sqrt(size / 0.485 - size + 1), 0, 1),
});
suite(threshold({ tau: 0.8, values: "tau" }), {
  draws: 1000,
  lattice: (values) => values.every((value) => value === 0 || Math.abs(value) === Math.fround(0.8)),
});

Deno.test("threshold: the largest is kept where all are below, nothing of zeros", () => {
  assertEquals([...once(threshold({ tau: 9 }), X)], [0, 0, 0, -4]);
  assertEquals([...once(threshold({ tau: 9 }), new Float32Array(2))], [0, 0]);
  assertEquals([...once(threshold({ tau: 9, values: "tau" }), X)], [0, 0, 0, 0]);
});

Deno.test("options and messages out of range are refused", () => {
  assertThrows(() => threshold({ tau: 0 }), RangeError, "tau is 0");
  assertThrows(() => threshold({ tau: 1, relative: 1 } as { tau: number }), RangeError, "expected one");
  assertThrows(() => threshold({ relative: 1, values: "tau" } as never), RangeError, 'values is "tau"');
  // The count has 3 bits: 7.
  assertThrows(
    () => decompress(threshold({ tau: 1 }), Uint8Array.of(255), key(1), 4),
    RangeError,
    "it keeps 7 numbers",
  );
});

Deno.test("golden messages", () => {
  assertEquals(encodeHex(threshold({ tau: 2.5 }), X), "4000004040000080c0");
  assertEquals(encodeHex(threshold({ tau: 2.5, values: "tau" }), X), "4080");
});
