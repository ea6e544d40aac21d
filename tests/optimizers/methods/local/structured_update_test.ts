import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { type Method, structuredUpdate } from "../../../../optimizers/mod.ts";
import { key, normal } from "../../../../random.ts";
import { type Lockstep, lockstep } from "../../lockstep.ts";

const rows = 12, columns = 8, matrix = { names: ["kernel"], shapes: [[rows, columns]], size: rows * columns };

function start(method: Method, ranks: number, layout = matrix): Lockstep<ReturnType<Method["init"]>> {
  return lockstep(method, { ranks, layout });
}

function gaussianMatrix(seed: number, m: number, n: number): Float32Array {
  return normal(key(seed), new Float32Array(m * n));
}

const squared = (x: Float32Array) => x.reduce((sum, v) => sum + v * v, 0);

const difference = (x: Float32Array, y: Float32Array) => x.map((v, j) => v - y[j]!);

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
