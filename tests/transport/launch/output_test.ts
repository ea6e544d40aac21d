import { encode, slow } from "./slow_stream.ts";
import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { copy, sink } from "../../../transport/launch/output.ts";
import { folderOf, launcher, meet, result, until } from "./launcher.ts";

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

Deno.test("launch --processes: a stdout that nobody reads does not keep Ctrl-C from ending all", async () => {
  using folder = folderOf({
    "loud.ts": `${meet} console.error("ready"); for (;;) { console.log("x".repeat(100)); await 1; }`,
  });
  const child = launcher(["--processes", "--ranks", "1", `${folder.path}/loud.ts`]).spawn();
  await until("ready", child.stderr);
  await new Promise((resolve) => setTimeout(resolve, 500)); // for the pipes to fill; if they do not, nothing is tested
  child.kill("SIGINT");
  assertEquals((await child.status).code, 130);
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
});

Deno.test("launch --processes: 20 MB without a line's end, bytes that are no text, and characters that are cut", async () => {
  using folder = folderOf({
    "print.ts": `const bytes = Uint8Array.from({ length: 1 << 20 }, (_, i) => i % 256 === 10 || i % 256 === 13 ? 0 : i);
      for (let i = 0; i < 20; i++) for (let done = 0; done < bytes.length;) done += Deno.stdout.writeSync(bytes.subarray(done));
      for (const byte of new TextEncoder().encode("\\nü漢😀\\n")) Deno.stdout.writeSync(Uint8Array.of(byte));`,
  });
  const child = launcher(["--processes", "--ranks", "1", `${folder.path}/print.ts`]).spawn();
  const { stdout, code } = await child.output(), cut = 4 + 20 * 2 ** 20;
  assertEquals([code, stdout.length], [0, cut + new TextEncoder().encode("\n[0] ü漢😀\n").length]);
  for (let i = 0; i < 20 * 2 ** 20; i++) {
    const byte = i % 256 === 10 || i % 256 === 13 ? 0 : i % 256;
    if (stdout[4 + i] !== byte) assertEquals(stdout[4 + i], byte, `byte ${i}`);
  }
  assertEquals(new TextDecoder().decode(stdout.subarray(cut)), "\n[0] ü漢😀\n");
});

Deno.test("launch --processes: progress that ends its lines with \\r is passed on while the rank goes on", async () => {
  using folder = folderOf({
    "progress.ts": `const write = (text) => Deno.stdout.writeSync(new TextEncoder().encode(text));
      write("1 %\\r2 %\\r"); write("half"); await Deno.stat("${Deno.execPath()}");
      const go = import.meta.dirname + "/go";
      while (!await Deno.stat(go).then(() => true, () => false)) await new Promise((resolve) => setTimeout(resolve, 20));
      write(" a line\\r\\n");`,
  });
  const child = launcher(["--processes", "--ranks", "1", `${folder.path}/progress.ts`]).spawn();
  assertEquals(await until("half", child.stdout), "[0] 1 %\r[0] 2 %\r[0] half");
  Deno.writeTextFileSync(`${folder.path}/go`, "");
  assertEquals((await result(child)).out, " a line\r\n");
});
