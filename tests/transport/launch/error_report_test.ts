import { encode, slow } from "./slow_stream.ts";
import { assertEquals } from "@std/assert/mod.js";
import { copy, sink } from "../../../transport/launch/output.ts";
import { reportKeeper } from "../../../transport/launch/error_report.ts";

Deno.test("report: the error that ends a process is kept, what comes before it is not", async () => {
  const stack = "error: Uncaught (in promise) RangeError: out\n  throw it;\n  ^\n    at file:///a.ts:1:2\n";
  for (const colours of [false, true]) {
    const text = colours ? stack.replace("error", "\x1b[0m\x1b[1m\x1b[31merror\x1b[0m") : stack;
    const keeper = reportKeeper(), to = slow();
    const pipe = ReadableStream.from(["before\n", `error: of my own\nlate\n${text}`].map(encode));
    await copy(pipe, "", sink(to), keeper).drained();
    const report = keeper.report()!;
    assertEquals([to.text, report.said], ["before\nerror: of my own\nlate\n", "RangeError: out"]);
    assertEquals(report.error.stack, "RangeError: out\n  throw it;\n  ^\n    at file:///a.ts:1:2");
    assertEquals(report.lost, undefined);
  }
  const lost = reportKeeper();
  await copy(
    ReadableStream.from([encode("error: Uncaught Error: no\nCaused by: TransportError: rank 3 left, not rank 4\n")]),
    "",
    sink(slow()),
    lost,
  ).drained();
  assertEquals(lost.report()!.lost, 3);
});

Deno.test("report: the rank that a TransportError blames is found in its words", () => {
  const words: [string, number][] = [
    ["Cannot exchange with rank 2: it was lost: rank 0 has heard nothing from it for 5 s", 2],
    [
      "Cannot finish round 7 (allReduce): rank 0 has heard nothing from rank 2 for 5.001 s; timeout raises the limit",
      2,
    ],
    ["Cannot finish round 7 (allReduce): rank 0 has heard nothing from ranks 1, 2 for 5.001 s", 1],
    [
      "Cannot go on: rank 0 gave up: Cannot finish round 7 (broadcast): rank 0 has heard nothing from rank 2 for 5 s",
      2,
    ],
    ["Cannot go on: rank 0 gave up: Cannot connect: rank 1 did not come within 8 s of rank 2's start", 1],
    ["Cannot connect: rank 0 turned this rank away: rank 2 is taken twice", 2],
    ["Cannot go on: rank 3 gave up: the disk is full", 3],
    ["Cannot finish round 7 (allReduce) within 1 s: ranks 4, 5 live, but have not sent everything", 4],
    ["Cannot connect: it was given up", -1],
  ];
  for (const [said, lost] of words) {
    for (const begin of ["error: Uncaught (in promise) ", "error: Uncaught Error: training\nCaused by: "]) {
      const keeper = reportKeeper();
      keeper.take(encode(`${begin}TransportError: ${said}\n    at file:///rank 9\n`), () => {});
      assertEquals(keeper.report()!.lost, lost, said);
    }
  }
});

Deno.test("report: what looks like a report but is none is printed, at the latest at the end", async () => {
  const keeper = reportKeeper(), to = slow();
  await copy(ReadableStream.from([encode("error: not one\n")]), "", sink(to), keeper).drained();
  assertEquals([to.text, new TextDecoder().decode(keeper.forget())], ["", "error: not one\n"]);
  const passed = Promise.withResolvers<void>(), later = reportKeeper();
  assertEquals(later.take(encode("error: but it goes on\n"), () => passed.resolve()).length, 0);
  await passed.promise;
});
