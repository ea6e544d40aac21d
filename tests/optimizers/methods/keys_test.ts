import { assert, assertEquals } from "@std/assert/mod.js";
import { keyFor, keysOfStep, rowsKey, uses } from "../../../optimizers/methods/keys.ts";
import { sampleRanks } from "../../../optimizers/methods/parts/sampling.ts";
import { average, minimise, type Problem, readLibsvm, ridge } from "../../../optimizers/mod.ts";
import { choose, fold, type Key, key } from "../../../random.ts";

const every = Object.keys(uses) as (keyof typeof uses)[];

Deno.test("all keys of a run are distinct: 3 000 steps, 8 ranks, every use, and what compressors fold from theirs", () => {
  const root = key(7), seen = new Map<string, string>();
  let count = 0;
  const take = (what: string, [high, low]: Key) => {
    const text = `${high},${low}`, other = seen.get(text);
    assert(other === undefined, `${what} has the key of ${other}`);
    seen.set(text, what), count++;
  };
  const withUses = (what: string, of: Key) => every.forEach((use) => take(`${what}, ${use}`, keyFor(of, use)));
  take("the seed", root), withUses("the seed", root);
  for (let step = 0; step < 3000; step++) {
    const { shared, keyOf } = keysOfStep(7, step);
    take(`step ${step}, shared`, shared), withUses(`step ${step}, shared`, shared);
    take(`epoch ${step}`, rowsKey(7, step));
    for (let rank = 0; rank < 8; rank++) {
      const own = keyOf(rank), what = `step ${step}, rank ${rank}`;
      take(what, own);
      take(`${what}, terms`, fold(fold(keyFor(root, "batches"), step), rank));
      take(`${what}, buffer`, fold(keyFor(rowsKey(7, step), "draws"), rank));
      take(`${what}, turn`, fold(keyFor(rowsKey(7, step), "turns"), rank));
      for (const use of ["term", "subspace"] as const) take(`${what}, ${use}`, keyFor(own, use));
      // The first two stripes or tensors, the bucket that was the key of a term (0x7e4), a set of ranks (0x5a), a mask (0x5b).
      for (const part of [0, 1, 0x7e4, 0x5a, 0x5b]) take(`${what}, part ${part}`, fold(own, part));
    }
  }
  assertEquals(count, 10 + 3000 * (11 + 8 * 11));
});

Deno.test("steps do not come round to those of before after 2³², nor to how rows are shared out", () => {
  const steps = [
    0,
    1,
    2 ** 30 - 1,
    2 ** 30,
    2 ** 30 + 1,
    0x73686172,
    2 ** 31,
    2 ** 32,
    2 ** 32 + 1,
    2 ** 52,
    2 ** 53 - 1,
  ];
  const shared = steps.map((step) => keysOfStep(3, step).shared.join());
  assertEquals(new Set([...shared, rowsKey(3, 0).join()]).size, steps.length + 1);
});

Deno.test("the keys of steps are those of the format", () => {
  const { shared, keyOf } = keysOfStep(5, 9);
  assertEquals(shared, fold(fold(key(5), 9), 0));
  assertEquals(keyOf(2), fold(fold(key(5), 9), 3));
});

Deno.test("terms and the ranks of a round are drawn from keys of their own", () => {
  const rows = readLibsvm(Array.from({ length: 20 }, (_, i) => `1 ${i + 1}:1`).join("\n"));
  const problem = ridge(rows, { ranks: 2, lambda: 1 }), minimiser = problem.minimiser, drawn: number[][] = [];
  const spy: Problem = {
    ...problem,
    minimiser,
    gradient: (...given) => (drawn.push([...given[3]!]), problem.gradient(...given)),
  };
  minimise(spy, average(), { rounds: 4, step: .01, batch: 3, seed: 11 });
  const expected = [0, 1, 2, 3].flatMap((round) =>
    [0, 1].map((rank) => [...choose(fold(fold(keyFor(key(11), "batches"), round), rank), 3, 10)])
  );
  assertEquals(drawn, expected);
  // Four steps a round: the same ranks in all of them, drawn from the first one's shared key.
  for (let step = 0; step < 12; step++) {
    const now = { step, size: 9, keysAt: (step: number) => keysOfStep(11, step) };
    assertEquals(sampleRanks(.3, 4, now), choose(keyFor(keysOfStep(11, step - step % 4).shared, "members"), 3, 9));
  }
});

Deno.test("steps have keys of their own up to 2⁵³, the same as before below 2³²", () => {
  const steps = [0, 5, 2 ** 24, 2 ** 24 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 33 + 5, 2 ** 48 + 5, 2 ** 53 - 1];
  const keys = new Set<string>();
  for (const step of steps) {
    const { shared, keyOf } = keysOfStep(1, step);
    for (const made of [fold(key(1), step), shared, keyOf(0), keyOf(1), fold(keyOf(0), 1)]) keys.add(made.join());
  }
  assertEquals(keys.size, 5 * steps.length);
  assertEquals([fold(key(7), 0), fold(key(7), 5), fold(key(7), 2 ** 32 - 1)], [
    [1830345032, -406598096],
    [1628829261, -3245765],
    [-1771153842, -1897458269],
  ]);
});
