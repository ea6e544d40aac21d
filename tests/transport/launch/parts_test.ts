/** The parts of the launcher, each alone. @module */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { type End, failureOf, together } from "../../../transport/launch/failure.ts";
import { hostAndPort, scriptUrl } from "../../../transport/launch/addresses.ts";
import { listenForNotices, tellLauncher } from "../../../transport/notice.ts";
import { copy, sink } from "../../../transport/launch/output.ts";
import { reportKeeper } from "../../../transport/launch/error_report.ts";
import { TransportError } from "../../../transport/transport.ts";
import { onUncaught } from "../../../transport/uncaught.ts";
import { deno, folderOf, library, result } from "./launcher.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A stream that takes three bytes at a time, and what it has taken. */
function slow() {
  const bytes: number[] = [];
  return {
    get text() {
      return new TextDecoder().decode(Uint8Array.from(bytes));
    },
    write(some: Uint8Array): Promise<number> {
      bytes.push(...some.subarray(0, 3));
      return Promise.resolve(Math.min(3, some.length));
    },
  };
}

Deno.test("output: every line begins with the prefix, however it is cut and ended", async () => {
  const texts = fc.array(fc.constantFrom("a", "ü", "😀", "\n", "\r", "\r\n", "word "), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(texts, fc.array(fc.nat(20), { maxLength: 6 }), async (parts, cuts) => {
      const bytes = encode(parts.join("")), to = slow(), out = sink(to);
      const ends = [...new Set([...cuts.filter((at) => at < bytes.length), bytes.length])].sort((a, b) => a - b);
      const pipe = ReadableStream.from(ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end)));
      await copy(pipe, "[1] ", out).drained();
      // A line that a \r ends is written over by the next one, which has a prefix if there is anything in it.
      const expected = parts.join("").replace(/(?<=^|\n)(?=[^\r])|(?<=\r)(?=[^\r\n])/g, "[1] ");
      assertEquals(to.text, expected);
    }),
    { numRuns: 300 },
  );
});

Deno.test("output: a line that another rank cuts is begun again, with the prefix of its own", async () => {
  const to = slow(), out = sink(to), first = { prefix: encode("[0] ") }, second = { prefix: encode("[1] ") };
  await out.print(first, encode("half"));
  await out.print(second, encode("whole\n"));
  await out.print(first, encode(" a line\n"));
  assertEquals(to.text, "[0] half\n[1] whole\n[0]  a line\n");
});

Deno.test("output: time and memory grow with what is printed, not with the length of its lines", async () => {
  let longest = 0, sum = 0;
  const out = sink({
    write(bytes) {
      longest = Math.max(longest, bytes.length);
      sum += bytes.length;
      return Promise.resolve(bytes.length);
    },
  });
  const chunk = new Uint8Array(1 << 12).fill(97);
  await copy(ReadableStream.from(Array<Uint8Array>(2000).fill(chunk)), "[0] ", out).drained();
  assertEquals(sum, 4 + 2000 * chunk.length);
  assert(longest <= 1 << 16, `${longest} bytes of one line were kept`);
});

Deno.test("output: what nobody reads any more is thrown away, to the end", async () => {
  let taken = 0, waits: ReturnType<typeof setTimeout> | undefined;
  const out = sink({ write: () => Promise.reject(new Error("broken pipe")) });
  const pipe = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (taken++ < 100) controller.enqueue(new Uint8Array(10_000));
      else controller.close();
    },
  });
  const late = new Promise<string>((resolve) => waits = setTimeout(() => resolve("it waits"), 10_000));
  const ended = await Promise.race([copy(pipe, "[0] ", out).drained().then(() => "drained"), late]);
  clearTimeout(waits);
  assertEquals([ended, taken], ["drained", 101]);
});

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

Deno.test("blame: who failed first, whoever says so first", async () => {
  const ok = (rank: number): End => ({ rank, code: 0 }),
    fails = (rank: number): End => ({ rank, code: 3, why: "fails" });
  const reports = (rank: number, lost: number): End => ({ rank, code: 1, why: "failed: TransportError: …", lost });
  const later = (end: End, ms = 50) => new Promise<End>((resolve) => setTimeout(() => resolve(end), ms));
  const blame = async (...ends: (End | Promise<End>)[]) => {
    const { rank, message } = await together(ends.map((end) => Promise.resolve(end))) ?? { message: "none" };
    return [rank, message];
  };
  assertEquals(await blame(ok(0), ok(1)), [undefined, "none"]);
  assertEquals(await blame(ok(0), fails(1)), [1, "Cannot go on: rank 1 fails"]);
  assertEquals(await blame(reports(0, 1), later(fails(1))), [1, "Cannot go on: rank 1 fails"]);
  assertEquals(await blame(reports(0, 1), later(fails(2), 20), new Promise(() => {})), [
    2,
    "Cannot go on: rank 2 fails",
  ]);
  const short = "Cannot go on: rank 1 ended before the others: rank 0 failed: TransportError: …";
  assertEquals(await blame(reports(0, 1), later(ok(1)), new Promise(() => {})), [1, short]);
  assertEquals(await blame(reports(0, 7)), [7, "Cannot go on: rank 7 is lost: rank 0 failed: TransportError: …"]);
  assertEquals(await blame(reports(0, -1)), [0, "Cannot go on: rank 0 failed: TransportError: …"]);
});

Deno.test("blame: an error that a lost rank has caused says which one, however deep", () => {
  const lost = new TransportError("gone", { rank: 3 }), wrapped = new Error("training", { cause: lost });
  for (const error of [lost, wrapped, new Error("main", { cause: wrapped })]) assertEquals(failureOf(error).lost, 3);
  assertEquals(failureOf(new TransportError("gone")).lost, -1);
  assertEquals(failureOf(new Error("rank 3")).lost, undefined);
  assertEquals(failureOf({ code: 7 }), { name: "Error", message: "{ code: 7 }", stack: "", lost: undefined });
});

Deno.test("names: addresses are strict, scripts are paths unless they are URLs", () => {
  assertEquals(hostAndPort("10.0.0.1:7777"), { host: "10.0.0.1", port: 7777 });
  assertEquals(hostAndPort("node-1.example:1"), { host: "node-1.example", port: 1 });
  assertEquals(hostAndPort("[fe80::1%eth0]:65535"), { host: "fe80::1%eth0", port: 65_535 });
  const wrong = [
    "",
    "a",
    "a:",
    ":1",
    "::1",
    "fe80::1",
    "[]:7",
    "[::1:7",
    "[::1]",
    "::1]:7",
    "http://a:7",
    "a:0",
    "a:65536",
  ];
  for (const text of [...wrong, "a:7/x", "a b:7", "[10.0.0.1]:7", "a:+7", "a:7 ", "a@b:7"]) {
    assertThrows(
      () => hostAndPort(text),
      RangeError,
      'expected "host:port" or, with an IPv6 address, "[address]:port"',
    );
  }
  assertEquals(scriptUrl("/a b/C#%?.ts").href, "file:///a%20b/C%23%25%3F.ts");
  assertEquals(scriptUrl("https://example.org/a#b").href, "https://example.org/a#b");
  assertEquals(scriptUrl("data:text/javascript,1").href, "data:text/javascript,1");
});

Deno.test("notices: a rank that has connected is known, strangers are not", async () => {
  await using notices = listenForNotices();
  const [port, word] = notices.address.split(" ");
  await tellLauncher(notices.address, 3);
  await tellLauncher(`${port} ${word}x`, 4);
  await tellLauncher("1 nobody listens", 5);
  await tellLauncher(undefined, 6);
  assertEquals([3, 4, 5, 6].map((rank) => notices.has(rank)), [true, false, false, false]);
  using _silent = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) }); // It keeps nobody waiting.
});

Deno.test("uncaught: what a listener handles that was added later is none; the rest is told to all", () => {
  const told: unknown[] = [], stops = [1, 2].map((i) => onUncaught((error) => (told.push([i, error]), i === 2)));
  const fire = () => globalThis.dispatchEvent(new ErrorEvent("error", { error: "e", cancelable: true }));
  assertEquals([fire(), told], [false, [[1, "e"], [2, "e"]]]);
  const rejected = new PromiseRejectionEvent("unhandledrejection", {
    promise: Promise.resolve(),
    reason: "r",
    cancelable: true,
  });
  assertEquals([globalThis.dispatchEvent(rejected), told.splice(2)], [false, [[1, "r"], [2, "r"]]]);
  const handle = (event: Event) => event.preventDefault();
  addEventListener("error", handle);
  assertEquals([fire(), told.length], [false, 2]);
  removeEventListener("error", handle);
  stops[1]!();
  assertEquals([fire(), told.length], [true, 3]);
  globalThis.dispatchEvent(new Event("other"));
  stops[0]!();
  fire();
  assertEquals(told.length, 3);
  assert(!Object.hasOwn(globalThis, "dispatchEvent"));
});

Deno.test("connect: where there is no Deno a rank of several is refused, and one alone is not", async () => {
  const source = `
    const { connect } = await import(${JSON.stringify(library)});
    const { log } = console;
    globalThis.process = { env: { ...globalThis.process.env } }; // Deno's own needs Deno.
    delete globalThis.Deno;
    try { log("group of", (await connect()).size); } catch ({ name, message }) { log(name + ": " + message); }`;
  using folder = folderOf({ "node.mjs": source });
  const run = (env: Record<string, string>) =>
    result(deno(["run", "--no-check", "-A", `${folder.path}/node.mjs`], { env }));
  assertEquals((await run({})).out, "group of 1\n");
  assertEquals((await run({ RANK: "0", WORLD_SIZE: "1" })).out, "group of 1\n");
  const several = await run({ RANK: "1", WORLD_SIZE: "2", MASTER_ADDR: "127.0.0.1", MASTER_PORT: "1" });
  assertMatch(several.out, /^TypeError: Cannot connect rank 1 of 2: .* under Deno only/);
  assertMatch((await run({ RANK: "1" })).out, /^Error: Cannot connect: RANK is 1, but WORLD_SIZE is not set/);
});

Deno.test("launch: a process that is no deno says that it cannot start processes", async () => {
  using folder = folderOf({
    "main.ts": `
      Object.defineProperty(Deno, "build", { value: { ...Deno.build, standalone: true } });
      const { launch } = await import(${
      JSON.stringify(new URL("../../../transport/launch/mod.ts", import.meta.url).href)
    });
      await launch({ script: "a.ts", ranks: 2, processes: true }).catch(({ message }) => console.log(message));`,
  });
  const { out, err } = await result(deno(["run", "--no-check", "-A", `${folder.path}/main.ts`]));
  assertStringIncludes(out, "Cannot launch processes from a compiled program, which is not deno: launch workers", err);
});

Deno.test("launch: what may not be done names the flag that allows it", async () => {
  const script = new URL("./launch_script.ts", import.meta.url).href;
  const launched = async (...flags: string[]) =>
    await result(deno([
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      ...flags,
      new URL("../../../launch.ts", import.meta.url).href,
      "--processes",
      "--ranks",
      "1",
      script,
    ]));
  for (const flags of [["--allow-net"], ["--allow-run"]]) {
    const { code, err } = await launched(...flags);
    assertEquals(code, 2);
    assertMatch(err, /Cannot launch processes: run with --allow-run and --allow-net=127\.0\.0\.1/);
  }
});
