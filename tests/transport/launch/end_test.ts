/** The launcher passes on what ranks print, whatever it is, and ends everything that it started, however it is ended. @module */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import { launch, LaunchError } from "../../../transport/launch/mod.ts";
import { deno, folderOf, launcher, library, lines, result } from "./launcher.ts";

const meet = `import { connect } from ${JSON.stringify(library)};
  using group = await connect(); group.perform({ op: "allReduce", vector: new Float32Array(1) });`;

/** Reads until the text has come. */
async function until(text: string, from: ReadableStream<Uint8Array>): Promise<string> {
  const reader = from.getReader(), decoder = new TextDecoder();
  let all = "";
  while (!all.includes(text)) {
    const { value, done } = await reader.read();
    assert(!done, `the output ended before "${text}": ${all}`);
    all += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return all;
}

/** Resolves when no process with this number is left. */
async function gone(pid: number): Promise<void> {
  for (let waited = 0;; waited++) {
    const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", `${pid}`] }).output();
    const state = new TextDecoder().decode(stdout).trim();
    if (state === "" || state.startsWith("Z")) return; // The dead whom nobody has waited for are gone, too.
    if (waited === 300) Deno.kill(pid, "SIGKILL");
    assert(waited < 300, `process ${pid} lives`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (const signal of ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const) {
  for (const mode of ["--processes", "elsewhere"]) {
    Deno.test({
      name: `launch ${mode}: no rank outlives a launcher that is ended by ${signal}`,
      ignore: Deno.build.os === "windows",
      async fn() {
        // In a project of its own, workers run in a process of their own.
        using folder = folderOf({
          "rank.ts": `${meet} console.log("pid", Deno.pid); setInterval(() => {}, 1000);`,
          ...(mode === "elsewhere" ? { "deno.json": "{}" } : {}),
        });
        const args = mode === "elsewhere" ? [] : [mode];
        const child = launcher([...args, "--ranks", "2", `${folder.path}/rank.ts`]).spawn();
        const text = await until("pid", child.stdout), rest = child.stderr.cancel();
        const pid = Number(/pid (\d+)/.exec(text)![1]);
        child.kill(signal);
        const { code } = await child.status;
        if (mode === "--processes" && signal !== "SIGKILL") {
          assertEquals(code, { SIGTERM: 143, SIGHUP: 129, SIGINT: 130, SIGQUIT: 131 }[signal]);
        }
        await gone(pid);
        await child.stdout.cancel();
        await rest;
      },
    });
  }
}

Deno.test({
  name: "launch --processes: a stopped rank is named, whoever says so first",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = folderOf({
      "rank.ts": `${meet}
        if (group.rank === 2) Deno.kill(Deno.pid, "SIGSTOP");
        for (;;) group.perform({ op: "allReduce", vector: new Float32Array(1) });`,
    });
    const script = `${folder.path}/rank.ts`, options = { ranks: 3, processes: true, prefix: true } as const;
    const error = await assertRejects(
      () => launch({ script, ...options, connectTimeout: 60_000, timeout: 4000 }),
      LaunchError,
    );
    assertEquals([error.rank, error.code], [2, 1]);
    assertMatch(error.message, /^Cannot go on: rank 2 is lost: rank [01] failed: TransportError: Cannot /);
  },
});

Deno.test({
  name: "launch: a process that is watched ends with the one that watches it, from then on",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const reaper = new URL("../../../transport/launch/reaper.ts", import.meta.url).href;
    using folder = folderOf({
      "watch.ts": `import { startReaper } from ${JSON.stringify(reaper)};
        const reaper = startReaper(), child = new Deno.Command("sleep", { args: ["100"], stdout: "null", stderr: "null" }).spawn();
        console.log(child.pid);
        await reaper.watch(child.pid);
        Deno.kill(Deno.pid, "SIGKILL");`,
    });
    const { out } = await result(deno(["run", "--no-check", "-A", `${folder.path}/watch.ts`]));
    await gone(Number(out));
  },
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

Deno.test({
  name: "launch --processes: a rank's child that holds its pipe keeps nobody waiting",
  ignore: Deno.build.os === "windows",
  async fn() {
    using folder = folderOf({
      "parent.ts": `${meet} const child = new Deno.Command("sleep", { args: ["100"] }).spawn();
        child.unref(); console.log("child", child.pid); Deno.exit(0);`,
    });
    const begin = performance.now();
    const { code, out, err } = await result(launcher(["--processes", "--ranks", "1", `${folder.path}/parent.ts`]));
    Deno.kill(Number(/child (\d+)/.exec(out)![1]));
    assertEquals([code, err], [0, ""]);
    assert(performance.now() - begin < 50_000, "it waited for the child");
  },
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

for (const mode of ["workers", "--processes"]) {
  Deno.test(`launch ${mode}: the rank that failed first is named, not one that noticed and failed in its own words`, async () => {
    using folder = folderOf({
      "rank.ts": `${meet}
        try {
          if (group.rank === 2) { await new Promise((resolve) => setTimeout(resolve, 300)); throw new RangeError("it was me"); }
          for (;;) group.perform({ op: "allReduce", vector: new Float32Array(1) });
        } catch (cause) {
          if (group.rank === 2) throw cause;
          throw new Error("training failed", { cause });
        }`,
    });
    const error = await assertRejects(
      () => launch({ script: `${folder.path}/rank.ts`, ranks: 3, processes: mode === "--processes" }),
      LaunchError,
    );
    assertEquals([error.rank, error.code], [2, 1]);
    assertEquals(error.message, "Cannot go on: rank 2 failed: RangeError: it was me");
  });
}

Deno.test("launch: errors that are no Errors, and what a rank prints on stderr before it fails", async () => {
  using folder = folderOf({
    "rank.ts": `console.error("error: is what I say myself"); await new Promise((resolve) => setTimeout(resolve, 50));
      throw { code: 7 };`,
  });
  for (const mode of [[], ["--processes"]]) {
    const { code, err } = await result(launcher([...mode, "--ranks", "1", `${folder.path}/rank.ts`]));
    assertEquals(code, 1);
    assertMatch(err, /error: is what I say myself/);
    assertMatch(err, /code: 7/);
  }
});

Deno.test("launch: 64 workers start and meet with the options as they are", async () => {
  using folder = folderOf({ "rank.ts": `${meet} console.log("met", group.size);` });
  const { code, out, err } = await result(launcher(["--ranks", "64", `${folder.path}/rank.ts`]));
  assertEquals([code, err, out.trimEnd().split("\n").length], [0, "", 64]);
});

Deno.test("connect: a rank that was lost is started again, and meets the others when they connect again", async () => {
  using folder = folderOf({
    "rank.ts": `import { connect } from ${JSON.stringify(library)};
      for (;;) {
        using group = await connect({ timeout: 60_000 });
        try {
          for (let round = 0; round < 3; round++) {
            if (Deno.args[0] === "dies" && round === 1) Deno.exit(9);
            group.perform({ op: "allReduce", vector: new Float32Array(1) });
          }
          console.log("done", group.rank);
          break;
        } catch (error) {
          console.log(error.name, error.rank);
        }
      }`,
  });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const start = (rank: number, ...args: string[]) =>
    result(deno(["run", "--no-check", "-A", `${folder.path}/rank.ts`, ...args], {
      env: { RANK: `${rank}`, WORLD_SIZE: "3", MASTER_ADDR: "127.0.0.1", MASTER_PORT: `${port}`, GRADWIRE_RUN: "run" },
    }));
  const others = [start(0), start(1)];
  assertEquals((await start(2, "dies")).code, 9);
  const again = await start(2);
  assertEquals([again.code, again.out], [0, "done 2\n"], again.err);
  for (const [rank, { out, err }] of (await Promise.all(others)).entries()) {
    assertEquals(out, `TransportError 2\ndone ${rank}\n`, err);
  }
});

Deno.test("connect: many groups one after the other, and two calls at once", async () => {
  using folder = folderOf({
    "rank.ts": `import { connect } from ${JSON.stringify(library)};
      for (let i = 0; i < 5; i++) {
        using group = await connect();
        const vector = Float32Array.of(i);
        if (i % 2) group.perform({ op: "allReduce", vector });
      }
      const groups = await Promise.all([connect(), connect()]);
      for (const group of groups) group.perform({ op: "allReduce", vector: new Float32Array(1) });
      for (const group of groups) group[Symbol.dispose]();
      console.log("done");`,
  });
  for (const mode of [[], ["--transport", "tcp"], ["--processes"]]) {
    const { code, out, err } = await result(launcher([...mode, "--ranks", "3", `${folder.path}/rank.ts`]));
    assertEquals([code, err, lines(out)], [0, "", ["[0] done", "[1] done", "[2] done"]], mode.join(" "));
  }
});
