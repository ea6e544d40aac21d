import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { logistic, readLibsvm, ridge } from "../../../optimizers/mod.ts";

const text = `+1 1:0.5 3:-2 # comment
-1 2:1 3:.25
+1 1:-1 2:0.5 3:1
-1 1:2 3:1
-1 2:-1
`;

Deno.test("rows that cannot be split are refused, with what is wrong", () => {
  const rows = readLibsvm(text);
  assertThrows(() => ridge(rows, { ranks: 6 }), RangeError, "ranks is 6");
  assertThrows(() => ridge(rows, { lambda: -1 }), RangeError, "lambda is -1, expected a number ≥ 0");
  assertThrows(() => ridge(rows, { by: "column" as never }), TypeError, "one of rows, label");
  assertThrows(() => ridge(rows, { rank: 2 } as never), TypeError, 'no option "rank"');
});

Deno.test("a term that a rank does not have is refused: it would count as a gradient of zeros", () => {
  const problem = ridge(readLibsvm(text), { ranks: 2 }), x = new Float32Array(3);
  problem.gradient(0, x, x.slice(), Uint32Array.of(2));
  assertThrows(
    () => problem.gradient(1, x, x.slice(), Uint32Array.of(2)),
    RangeError,
    "Cannot evaluate a gradient of ridge: rank 1 has no term 2, expected one below 2",
  );
});

Deno.test("the smoothness of the largest term is that of the row that bends most", () => {
  const at = "1 1:3 2:4\n-1 1:1\n1 2:30\n";
  assertEquals(ridge(readLibsvm(at), { ranks: 3, lambda: .5 }).constants.largestTermSmoothness, 900.5);
  assertEquals(logistic(readLibsvm(at), { lambda: .5 }).constants.largestTermSmoothness, 225.5);
  const { constants } = ridge(readLibsvm(text), { ranks: 2 });
  assert(constants.largestTermSmoothness! >= constants.largestSmoothness);
  assert(constants.largestTermSmoothness! <= constants.terms! * constants.largestSmoothness);
});
