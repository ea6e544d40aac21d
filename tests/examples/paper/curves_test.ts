import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { chartOfRuns } from "../../../examples/paper/curves.ts";
import { average, minimise, quadratic } from "../../../mod.ts";

const problem = quadratic([{ a: [[1, 0], [0, 2]], b: [1, 1] }]);
const run = (step: number, rounds = 200) => minimise(problem, average(), { rounds, step, error: 1e-4 });

Deno.test("a curve is the mean of the bytes that the runs needed, up to where all of them came", () => {
  const runs = [run(.1), run(.3)];
  const chart = chartOfRuns("t", [{ name: "two", color: "#000", runs }], 1e-4, ["bytes", ({ bytes }) => bytes]);
  const [points] = chart.series.map(({ points }) => points), [level, bytes] = points!.at(-1)!;
  assertAlmostEquals(level, 1e-4, 1e-10);
  assertEquals(bytes, (runs[0]!.bytes + runs[1]!.bytes) / 2);
  points!.forEach(([, y], i) => assert(i === 0 || y >= points![i - 1]![1]));
  // One of them does not arrive: the curve ends where it does.
  const short = chartOfRuns("t", [{ name: "two", color: "#000", runs: [run(.1), run(.3, 5)] }], 1e-4, [
    "rounds",
    ({ round }) => round,
  ]);
  assert(short.series[0]!.points.at(-1)![0] > 1e-3);
});
