import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { type Method, powerSgd } from "../../../../optimizers/mod.ts";
import { orthonormalise } from "../../../../optimizers/methods/parts/matrix.ts";
import { fold, key, normal } from "../../../../random.ts";
import { type Lockstep, lockstep } from "../../lockstep.ts";

const rows = 12, columns = 8, matrix = { names: ["kernel"], shapes: [[rows, columns]], size: rows * columns };

function start(method: Method, ranks: number, layout = matrix): Lockstep<ReturnType<Method["init"]>> {
  return lockstep(method, { ranks, layout });
}

function gaussianMatrix(seed: number, m: number, n: number): Float32Array {
  return normal(key(seed), new Float32Array(m * n));
}

/** Σ over `rank` of random u vᵀ. */
function lowRank(rank: number, seed: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let r = 0; r < rank; r++) {
    const u = normal(fold(key(seed), 2 * r), new Float32Array(rows)),
      v = normal(fold(key(seed), 2 * r + 1), new Float32Array(columns));
    out.forEach((_, at) => out[at]! += u[Math.floor(at / columns)]! * v[at % columns]!);
  }
  return out;
}

const squared = (x: Float32Array) => x.reduce((sum, v) => sum + v * v, 0);

const difference = (x: Float32Array, y: Float32Array) => x.map((v, j) => v - y[j]!);

Deno.test("powerSgd recovers the mean of matrices that has its rank in one step", () => {
  for (const rank of [1, 2, 3]) {
    const run = start(powerSgd({ rank, minimumRate: .1 }), 2), both = lowRank(rank, 5);
    // The ranks' own matrices have full rank; their mean has not.
    const noise = gaussianMatrix(9, rows, columns);
    run.gradients[0]!.set(both.map((v, j) => v + noise[j]!)), run.gradients[1]!.set(both.map((v, j) => v - noise[j]!));
    const estimate = run.step();
    assert(squared(difference(estimate, both)) < 1e-8 * squared(both));
  }
});

Deno.test("powerSgd with warm start converges to the best approximation of its rank", () => {
  const rank = 2, run = start(powerSgd({ rank, minimumRate: .1 }), 1), error = run.states[0]!.local.error!;
  // Orthonormal left and right vectors with singular values 3, 2, 1, .5: the best of rank 2 leaves 1 + .25.
  const values = [3, 2, 1, .5], left = gaussianMatrix(1, 4, rows), right = gaussianMatrix(2, 4, columns);
  orthonormalise(left, 4, rows), orthonormalise(right, 4, columns);
  const given = new Float32Array(rows * columns).map((_, at) =>
    values.reduce(
      (sum, s, r) => sum + s * left[r * rows + Math.floor(at / columns)]! * right[r * columns + at % columns]!,
      0,
    )
  );
  for (let t = 0; t < 40; t++) {
    error.fill(0); // what it makes of the matrix itself
    run.gradients[0]!.set(given);
    const left = squared(difference(run.step(), given));
    if (t === 0) assert(left > 1.3);
    if (t === 39) assertAlmostEquals(left, 1.25, 1e-3);
  }
});

Deno.test("powerSgd on an orthonormal matrix leaves 1 − r/q of it in the mean over Q", () => {
  const q = gaussianMatrix(3, columns, rows);
  orthonormalise(q, columns, rows);
  const given = new Float32Array(rows * columns).map((_, at) => q[(at % columns) * rows + Math.floor(at / columns)]!);
  let total = 0;
  const draws = 400, rank = 3;
  for (let draw = 0; draw < draws; draw++) {
    const run = start(powerSgd({ rank, minimumRate: .1 }), 1);
    normal(key(100 + draw), run.states[0]!.shared.q as Float32Array);
    run.gradients[0]!.set(given);
    total += squared(difference(run.step(), given)) / squared(given) / draws;
  }
  assertAlmostEquals(total, 1 - rank / columns, 1e-3);
});

Deno.test("powerSgd's errors add up to what the mean has not been given", () => {
  const layout = { names: ["kernel", "bias"], shapes: [[rows, columns], [3]], size: rows * columns + 3 };
  const run = start(powerSgd({ rank: 1 }), 3, layout),
    total = new Float64Array(layout.size),
    sent = new Float64Array(layout.size);
  for (let t = 0; t < 30; t++) {
    for (const gradient of run.gradients) gradient.forEach((v, j) => total[j]! += v / 3);
    run.step().forEach((v, j) => sent[j]! += v);
    total.forEach((v, j) => {
      const error = run.states.reduce((sum, { local }) => sum + local.error![j]! / 3, 0);
      assertAlmostEquals(sent[j]! + error, v, 1e-4);
      if (j >= rows * columns) assertEquals(error, 0);
    });
  }
});

Deno.test("powerSgd goes on after gradients of zeros, averages all before its first step, and leaves small matrices alone", () => {
  const run = start(powerSgd({ rank: 2, minimumRate: .1 }), 1), given = lowRank(2, 7);
  run.gradients[0]!.fill(0);
  assertEquals(run.step(), new Float32Array(rows * columns));
  run.gradients[0]!.set(given);
  assert(squared(difference(run.step(), given)) < 1e-8 * squared(given));

  for (const method of [powerSgd({ startStep: 1 }), powerSgd({ minimumRate: 100 })]) {
    const run = start(method, 2), mean = run.gradients[0]!.map((v, j) => (v + run.gradients[1]![j]!) / 2);
    run.step().forEach((v, j) => assertAlmostEquals(v, mean[j]!, 1e-6));
  }
  assertThrows(() => powerSgd({ rank: 0 }), RangeError, "rank is 0");
});

Deno.test("powerSgd of 2ᵏ times the gradients is 2ᵏ times powerSgd of them, to the last bit, near both ends of float32", () => {
  const layout = { names: ["kernel", "bias"], shapes: [[rows, columns], [3]], size: rows * columns + 3 };
  const estimates = (k: number, ranks: number) => {
    const run = start(powerSgd({ rank: 2, minimumRate: .1 }), ranks, layout);
    return Array.from({ length: 6 }, () => {
      for (const gradient of run.gradients) gradient.forEach((v, j) => gradient[j] = v * 2 ** k);
      return run.step({ learningRate: .1 }).map((v) => v * 2 ** -k);
    });
  };
  for (const ranks of [1, 3]) {
    const plain = estimates(0, ranks);
    // Normal numbers times 2¹²⁰ stay below 2¹²⁸ with their errors; times 2⁻⁸⁰ all that counts is above 2⁻¹²⁶.
    for (const k of [120, 60, -60, -80]) assertEquals(estimates(k, ranks), plain, `2 to the ${k}, ${ranks} ranks`);
  }
});

Deno.test("powerSgd's virtual iterate x − γ mean e moves by −γ mean g, also when the learning rate changes", () => {
  const run = start(powerSgd({ rank: 1, minimumRate: .1 }), 3), size = rows * columns;
  const total = new Float64Array(size), applied = new Float64Array(size);
  let last = 0;
  for (let t = 0; t < 30; t++) {
    const rate = t < 8 ? .1 : t < 16 ? .01 : t % 3 === 0 ? 0 : .03;
    for (const gradient of run.gradients) gradient.forEach((v, j) => total[j]! += rate * v / 3);
    run.step({ learningRate: rate }).forEach((v, j) => applied[j]! += rate * v);
    if (rate > 0) last = rate;
    total.forEach((v, j) => {
      const kept = run.states.reduce((sum, { local }) => sum + local.error![j]! / 3, 0);
      assertAlmostEquals(applied[j]! + last * kept, v, 2e-6);
    });
  }
});

Deno.test("powerSgd's estimate of the largest matrices is that of their mean", () => {
  const layout = { names: ["kernel"], shapes: [[12, 8]], size: 96 }, method = powerSgd({ rank: 1, minimumRate: .1 });
  const run = lockstep(method, { ranks: 3, layout });
  for (let t = 0; t < 3; t++) {
    for (const gradient of run.gradients) gradient.fill(3e38);
    run.step().forEach((v) => assertAlmostEquals(v / 3e38, 1, 1e-5));
  }
});
