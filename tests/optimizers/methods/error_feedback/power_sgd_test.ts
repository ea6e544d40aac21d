import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { type Method, powerSgd, structuredUpdate } from "../../../../optimizers/mod.ts";
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

Deno.test("a structured update of low rank has that rank, one of a mask its support", () => {
  for (const rank of [1, 2]) {
    const run = start(structuredUpdate({ localSteps: 2, rank }), 1);
    let x = gaussianMatrix(4, rows, columns);
    for (let round = 0; round < 3; round++) {
      const gradient = run.gradients[0]!.slice(), middle = run.step({ learningRate: .1, parameters: x });
      // A round's first step is the projection P g of the gradient: ⟨g, P g⟩ = ‖P g‖².
      const projected = difference(x, middle).map((v) => v / .1);
      assertAlmostEquals(projected.reduce((sum, v, j) => sum + v * gradient[j]!, 0) / squared(projected), 1, 1e-4);
      const next = run.step({ learningRate: .1, parameters: middle }), change = difference(next, x);
      assert(residual(change, rank) < 1e-9 * squared(change));
      assert(residual(change, rank - 1) > .01 * squared(change));
      x = next;
    }
  }
  const run = start(structuredUpdate({ localSteps: 2, ratio: .25 }), 1), x = gaussianMatrix(4, rows, columns);
  const middle = run.step({ learningRate: .1, parameters: x });
  const after = run.step({ learningRate: .1, parameters: middle });
  assertEquals(after.filter((v, j) => v !== x[j]).length, 24);
});

/** What projection on the span of `rank` of the rows, picked greedily, leaves of a matrix: 0 where it has that rank. */
function residual(matrix: Float32Array, rank: number): number {
  const left = Float64Array.from(matrix);
  for (let r = 0; r < rank; r++) {
    const norms = Array.from(
      { length: rows },
      (_, i) => squared(Float32Array.from(left.subarray(i * columns, (i + 1) * columns))),
    );
    const best = norms.indexOf(Math.max(...norms)), pivot = left.slice(best * columns, (best + 1) * columns);
    const length = pivot.reduce((sum, v) => sum + v * v, 0);
    for (let i = 0; i < rows; i++) {
      let along = 0;
      for (let j = 0; j < columns; j++) along += left[i * columns + j]! * pivot[j]! / length;
      for (let j = 0; j < columns; j++) left[i * columns + j]! -= along * pivot[j]!;
    }
  }
  return left.reduce((sum, v) => sum + v * v, 0);
}

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

Deno.test("vectors of any size are made orthonormal, and a dependent one zero", () => {
  for (const size of [1, 1e-38, 1e38]) {
    const vectors = Float32Array.from([3, 4, 0, 1, 2, 2, 6, 8, 0].map((v) => v * size * .4));
    orthonormalise(vectors, 3, 3);
    const dot = (i: number, j: number) =>
      [0, 1, 2].reduce((sum, l) => sum + vectors[3 * i + l]! * vectors[3 * j + l]!, 0);
    for (const [i, j, expected] of [[0, 0, 1], [1, 1, 1], [0, 1, 0], [2, 2, 0]] as const) {
      assertAlmostEquals(dot(i, j), expected, 1e-6);
    }
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

Deno.test("vectors whose projections would leave float32 are made orthonormal", () => {
  const most = (2 - 2 ** -23) * 2 ** 127, vectors = Float32Array.of(most, most, most, most, most, -most);
  orthonormalise(vectors, 2, 3);
  [1, 1, 1, 1, 1, -2].forEach((v, i) => assertAlmostEquals(vectors[i]!, v / Math.sqrt(i < 3 ? 3 : 6), 1e-6));
});
