import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, dithering, identity, oneBit, rotated, stochasticLevels } from "../../../compressors/mod.ts";
import { key } from "../../../random.ts";
import { adversarialKinds } from "../../../testing/vectors.ts";
import { draws, encodeHex, gaussian, oneHot, squaredNorm, X } from "../tools/draws.ts";
import { suite } from "../tools/suite.ts";

// Sums over the vector in float32: relative accuracy 3e-5.
const options = { slack: 3e-5, draws: 1000 };
const kinds = adversarialKinds.filter((kind) => !["dynamic", "subnormal", "largest"].includes(kind));
suite(rotated(stochasticLevels({ levels: 4 }), { rounds: 1 }), { ...options, kinds });
suite(rotated(dithering({ levels: 2, norm: "max" })), { ...options, kinds });
suite(rotated(oneBit()), options);

Deno.test("rotated keeps ω and α, and tightens ω where peaks are the worst case", () => {
  const levels = stochasticLevels({ levels: 16 }), c = rotated(levels, { rounds: 1 });
  assertAlmostEquals(c.omega(1024), (2 * Math.log(2048) + 2) / 225, 1e-12);
  assert(c.omega(1024) < 0.1 && levels.omega(1024) > 2);
  assertEquals(rotated(oneBit()).alpha(100), 0.99);
  assertEquals(rotated(identity()).omega(100), 0);
  // Suresh et al.: 0.031 on gaussians of 1024 at 16 levels, of which ω = 0.077 is twice.
  const x = gaussian(1024);
  assertAlmostEquals(draws(c, x, 100).error / squaredNorm(x), 0.031, 0.006);
  // A one-hot vector has all magnitudes equal after a round on 2ʲ numbers, and is exact.
  assert(draws(c, oneHot(1024), 20).worst < 1e-10);
  // The worst vector without rotation.
  const worst = new Float32Array(1024).fill(1, 0, 1).fill(-1, 1, 2);
  assert(draws(levels, worst, 100).error / 2 > 2 && draws(c, worst, 100).error / 2 < 0.05);
});

Deno.test("messages are pinned", () => {
  assertEquals(encodeHex(rotated(stochasticLevels({ levels: 4 })), Float32Array.of(...X, 5)), "01000068bf0000b43fb480");
});

Deno.test("wrong options and foreign messages are refused", () => {
  assertThrows(() => rotated(oneBit(), { rounds: 0 }), RangeError, "rounds is 0");
  const c = rotated(oneBit()), into = new Float32Array(4);
  assertThrows(() => c.decodeAdd(new Uint8Array(0), key(1), 1, into), RangeError, "empty");
  const huge = compress(c, X, key(1)).slice();
  huge[4] = 0x7f;
  assertThrows(() => c.decodeAdd(huge, key(1), 1, into), RangeError, "near 1");
});
