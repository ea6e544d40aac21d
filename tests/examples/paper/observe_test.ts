import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { alphaOf, observe } from "../../../examples/paper/observe.ts";
import { compress, dithering, key, normal, topK } from "../../../mod.ts";

Deno.test("an observed compressor sends the same bytes, and its messages are counted", () => {
  const observation = { messages: 0, bytes: 0, error: 0, milliseconds: 0 }, compressor = topK({ k: 2 });
  const observed = observe(compressor, observation), x = Float32Array.of(1, -2, 3, -4);
  const message = compress(compressor, x, key(1));
  for (let i = 0; i < 3; i++) assertEquals(compress(observed, x, key(1)), message);
  compress(observed, new Float32Array(4), key(1)); // nothing to err in
  assertEquals([observation.messages, observation.bytes], [3, 3 * message.length]);
  assertAlmostEquals(alphaOf(compressor, observation), 5 / 30, 1e-12);
  assert(observation.milliseconds >= 0);
});

Deno.test("the error of an unbiased compressor is that of its best scaling", () => {
  const observation = { messages: 0, bytes: 0, error: 0, milliseconds: 0 }, compressor = dithering({ levels: 1 });
  const observed = observe(compressor, observation);
  for (let i = 0; i < 300; i++) compress(observed, normal(key(i), new Float32Array(16)), key(1000 + i));
  const error = observation.error / 300;
  assert(error > 1 && alphaOf(compressor, observation) === error / (1 + error));
});
