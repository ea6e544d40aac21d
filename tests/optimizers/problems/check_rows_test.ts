import { assertThrows } from "@std/assert/mod.js";
import { logistic, readLibsvm, ridge } from "../../../optimizers/mod.ts";

const text = `+1 1:0.5 3:-2 # comment
-1 2:1 3:.25
+1 1:-1 2:0.5 3:1
-1 1:2 3:1
-1 2:-1
`;

Deno.test("rows that do not fit together are refused, with what is wrong", () => {
  const rows = readLibsvm(text);
  assertThrows(() => ridge(readLibsvm("# nothing\n")), RangeError, "Cannot make ridge: there are no rows");
  assertThrows(() => logistic(readLibsvm("")), RangeError, "Cannot make logistic: there are no rows");
  const wrong: [Partial<typeof rows>, string][] = [
    [{ features: 2 }, "row 0 has index 2, expected one below 2"],
    [{ values: rows.values.map((v, e) => e === 3 ? NaN : v) }, "row 1 holds NaN"],
    [{ labels: rows.labels.map((v, row) => row === 4 ? Infinity : v) }, "row 4 has the label Infinity"],
    [{ values: rows.values.subarray(1) }, "9 values for 10 indices"],
    [{ starts: rows.starts.subarray(1) }, "starts has 5 numbers from 2 to 10, expected 6 from 0 to 10"],
    [{ starts: Uint32Array.of(0, 4, 2, 7, 9, 10) }, "row 1 ends before it starts"],
  ];
  for (const [change, message] of wrong) assertThrows(() => ridge({ ...rows, ...change }), RangeError, message);
});
