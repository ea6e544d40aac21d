import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { readLibsvm } from "../../../optimizers/mod.ts";

Deno.test("LIBSVM text is read: comments, empty lines, both line ends, exponents, explicit zeros, a row of zeros", () => {
  const rows = readLibsvm(
    "\uFEFF+1 1:0.5 3:-2 # comment 9:9\r\n\n-1 2:1. 3:.25\n# all of it\n  \t\n1e0\t1:-1E+0  2:5e-1 3:1\r\n-1 2:0\n+3",
  );
  assertEquals(rows.features, 3);
  assertEquals([...rows.labels], [1, -1, 1, -1, 3]);
  assertEquals([...rows.starts], [0, 2, 4, 7, 8, 8]);
  assertEquals([...rows.indices], [0, 2, 1, 2, 0, 1, 2, 1]);
  assertEquals([...rows.values], [.5, -2, 1, .25, -1, .5, 1, 0]);
  assertEquals(readLibsvm("").labels.length, 0);
  assertEquals(readLibsvm("1 4294967296:1").indices[0], 2 ** 32 - 1);
  assertEquals(readLibsvm("1 2:1", { features: 7 }).features, 7);
});

Deno.test("what is not LIBSVM is refused, with its line and what is wrong with it", () => {
  const cases: [bad: string, message: string][] = [
    ["x 1:2", 'found "x", expected "label index:value …" with decimal numbers'],
    ["1 0:3", 'found "0:3", expected indices that count from 1'],
    ["1 2:1 2:1", 'found "2:1", expected an index above 2, which stands before it: indices ascend in a line'],
    ["1 2:1 1:1", 'found "1:1", expected an index above 2'],
    ["1 1:x", 'found "1:x", expected "label index:value …" with decimal numbers'],
    ["1 1", 'found "1", expected index:value'],
    ["1 1:", 'found "1:", expected index:value'],
    ["1 1:2:3", 'found "1:2:3"'],
    ["1 :2", 'found ":2", expected index:value'],
    ["1 -1:2", 'found "-1:2", expected index:value'],
    ["1 1.5:2", 'found "1.5:2", expected index:value'],
    ["1 1e2:2", 'found "1e2:2", expected index:value'],
    ["1 1:NaN", 'found "1:NaN"'],
    ["1 1:inf", 'found "1:inf"'],
    ["1 1:Infinity", 'found "1:Infinity"'],
    ["nan 1:1", 'found "nan"'],
    ["1 1:1e999", 'found "1:1e999", which is beyond the range of double precision'],
    ["1 1:0x10", 'found "1:0x10"'],
    ["0b1 1:1", 'found "0b1"'],
    ["1,2 1:1", 'found "1,2"'],
    ["1 1:1,5", 'found "1:1,5"'],
    ["1 qid:3 1:1", 'found "qid:3", a query of ranking data'],
    ["1 4294967297:5", 'found "4294967297:5", expected an index of at most 2³²'],
    ["1 99999999999999999999999:5", "expected an index of at most 2³²"],
    ["1 1:1\r-1 1:1", 'found "-1"'],
  ];
  for (const [bad, message] of cases) {
    assertThrows(() => readLibsvm(`+1 1:1\r\n\n# three\n${bad}\n+1 1:1`), SyntaxError, "LIBSVM line 4: ", bad);
    assertThrows(() => readLibsvm(bad), SyntaxError, message, bad);
  }
  assertThrows(
    () => readLibsvm("1 1:1\n1 5:1", { features: 4 }),
    SyntaxError,
    'line 2: found "5:1", expected an index of at most features = 4',
  );
  for (const features of [-1, 1.5, NaN, 2 ** 32 + 1]) {
    assertThrows(() => readLibsvm("", { features }), RangeError, "features is");
  }
  assertThrows(() => readLibsvm("", { feature: 1 } as never), TypeError, 'no option "feature"');
});

Deno.test("the line is right also far into a file", () => {
  const text = `${"+1 1:1\n".repeat(300_000)}+1 1:1 1:1\n`;
  assertThrows(() => readLibsvm(text), SyntaxError, "line 300001:");
});

const numbers = fc.double({ noNaN: true, noDefaultInfinity: true });
const row = fc.tuple(
  numbers,
  fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 32 }), { maxLength: 6 }),
  fc.array(numbers),
);

Deno.test("rows that are written are read back, number by number", () => {
  fc.assert(
    fc.property(fc.array(row), fc.constantFrom("\n", "\r\n"), (given, end) => {
      const rows = given.map(([label, indices, values]) => {
        const ascending = indices.sort((a, b) => a - b).slice(0, values.length);
        return { label, entries: ascending.map((index, i) => [index, values[i]!] as const) };
      });
      const text = rows.map(({ label, entries }) => [label, ...entries.map((e) => e.join(":"))].join(" ")).join(end);
      const read = readLibsvm(text);
      assertEquals([...read.labels], rows.map(({ label }) => label + 0));
      assertEquals([...read.indices], rows.flatMap(({ entries }) => entries.map(([index]) => index - 1)));
      assertEquals([...read.values], rows.flatMap(({ entries }) => entries.map(([, value]) => value + 0)));
      assertEquals(read.features, Math.max(0, ...rows.flatMap(({ entries }) => entries.map(([index]) => index))));
    }),
    { seed: 1, numRuns: 300 },
  );
});

Deno.test("any text is read as rows that fit together, or refused with a line that it has", () => {
  const piece = fc.constantFrom(
    "1",
    "-2",
    "0",
    ":",
    " ",
    "\n",
    "\r\n",
    "#",
    "1:1",
    "2:.5",
    "1e5",
    "e",
    "qid:",
    "inf",
    "+",
    "4294967297",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join("");
      try {
        const { features, labels, starts, indices, values } = readLibsvm(text);
        assertEquals([starts.length, starts[0], starts.at(-1)], [labels.length + 1, 0, indices.length]);
        assertEquals(values.length, indices.length);
        assert([...labels, ...values].every(Number.isFinite) && indices.every((index) => index < features));
        labels.forEach((_, row) => {
          for (let e = starts[row]! + 1; e < starts[row + 1]!; e++) assert(indices[e - 1]! < indices[e]!);
        });
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        const line = Number(/line (\d+):/.exec(error.message)![1]);
        assert(1 <= line && line <= text.split("\n").length, error.message);
      }
    }),
    { seed: 2, numRuns: 3000 },
  );
});
