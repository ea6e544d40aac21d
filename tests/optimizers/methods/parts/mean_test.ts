import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { identity, randK } from "../../../../compressors/mod.ts";
import { addOwn, encode, gatherMean, reduceMean, silent } from "../../../../optimizers/methods/parts/mean.ts";
import { NotFiniteError } from "../../../../optimizers/methods/parts/finite.ts";
import { type Context, context, workspace } from "../../../../optimizers/mod.ts";
import { fold } from "../../../../random.ts";
import { runTogether } from "../../../../transport/mod.ts";

const layout = { names: ["x"], shapes: [[3]], size: 3 };
const contexts = (size: number): Context[] =>
  Array.from({ length: size }, (_, rank) => context({ seed: 1, step: 2, rank, size, layout, workspace: workspace() }));
const vectors = () => [Float32Array.of(1, 2, 3), Float32Array.of(5, 6, 7), Float32Array.of(0, -2, 8)];

Deno.test("gatherMean is the mean of all messages, or the sum of some by a factor, on a base", () => {
  const of = Uint32Array.of(0, 2), base = Float32Array.of(10, 20, 30);
  for (
    const [options, expected] of [
      [{}, [2, 2, 6]],
      [{ base }, [12, 22, 36]],
      [{ of }, [.5, 0, 5.5]],
      [{ of, factor: 1, base }, [11, 20, 41]],
    ] as const
  ) {
    const given = vectors();
    runTogether(
      contexts(3).map((now, rank) => {
        const takesPart = !("of" in options) || of.includes(rank);
        const message = takesPart ? encode(identity(), given[rank]!, now) : silent(identity(), 3, now);
        return gatherMean("x", message, now, given[rank]!, options);
      }),
    );
    for (const result of given) result.forEach((v, j) => assertAlmostEquals(v, expected[j]!, 1e-6));
  }
});

Deno.test("messages of a step have memory and keys of their own by part", () => {
  const [now] = contexts(1), compressor = randK({ k: 1 }), [vector] = vectors();
  const messages = [undefined, 0, 1].map((part) => encode(compressor, vector!, now!, part));
  assertEquals(messages.map(({ keyOf }) => keyOf(4)), [now!.keyOf(4), fold(now!.keyOf(4), 0), fold(now!.keyOf(4), 1)]);
  assertEquals(new Set(messages.map(({ bytes }) => bytes!.buffer)).size, 3);
});

Deno.test("a rank's own message is decoded before it is sent; where it cannot be kept, all ranks refuse it", () => {
  const [now] = contexts(1), [vector] = vectors(), kept = vector!.slice(), message = encode(identity(), vector!, now!);
  assert(addOwn(message, 0, -1, kept).bytes === message.bytes);
  assertEquals(kept, new Float32Array(3));
  const large = new Float32Array(3).fill(3e38);
  assertEquals(addOwn(encode(identity(), large, now!), 0, 1, large.slice()).bytes, undefined);
  for (const bad of [NaN, Infinity]) {
    const given = vectors();
    given[1]![2] = bad;
    const run = () =>
      runTogether(contexts(3).map((now, r) => gatherMean("x", encode(identity(), given[r]!, now), now, given[r]!)));
    assertThrows(run, NotFiniteError, "Cannot take the step of x: what rank 1 would send or keep");
    assertEquals(given[0], vectors()[0]); // nothing is written before all messages have arrived
  }
});

Deno.test("reduceMean is finite where the mean is, and refuses it on all ranks where it is not", () => {
  const large = [3e38, 3e38, 3e38].map((v) => Float32Array.of(v, -v));
  runTogether(large.map((vector) => reduceMean("x", "the mean", vector, 3)));
  for (const vector of large) vector.forEach((v, j) => assertAlmostEquals(v / 3e38, j === 0 ? 1 : -1, 1e-6));
  const bad = [1, NaN].map((v) => Float32Array.of(0, v));
  const run = () => runTogether(bad.map((vector) => reduceMean("x", "the mean", vector, 2)));
  assertThrows(run, NotFiniteError, "Cannot take the step of x: number 1 of the mean is NaN");
});
