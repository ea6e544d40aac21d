import { assert, assertEquals } from "@std/assert/mod.js";
import { bernoulli, randomInteger } from "../../../../optimizers/methods/parts/random_choice.ts";
import { fold, key } from "../../../../random.ts";

const keys = Array.from({ length: 4000 }, (_, i) => fold(key(5), i));

Deno.test("a decision is true as often as its probability says, and follows from its key", () => {
  assert(!keys.some((key) => bernoulli(key, 0)) && keys.every((key) => bernoulli(key, 1)));
  // Binomial(4000, .3) has a standard deviation of 29: six of them are a false alarm in 2e-9 cases.
  assert(Math.abs(keys.filter((key) => bernoulli(key, .3)).length - 1200) < 6 * 29);
  assertEquals(keys.map((key) => bernoulli(key, .3)), keys.map((key) => bernoulli(key, .3)));
});

Deno.test("all integers below the count are drawn equally often", () => {
  const counts = new Uint32Array(5);
  for (const key of keys) counts[randomInteger(key, 5)]!++;
  // Binomial(4000, .2) has a standard deviation of 25.3.
  assert(counts.every((count) => Math.abs(count - 800) < 6 * 25.3), `${counts}`);
  assert(keys.every((key) => randomInteger(key, 1) === 0));
});
