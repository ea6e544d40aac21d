import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert/mod.js";
import { command, deno, folderOf, gone, launcher, meet, result, run, script, start } from "./launcher.ts";
import { launch, LaunchError, type LaunchOptions } from "../../../transport/launch/mod.ts";
import { freePort } from "../tools/ports.ts";

const sums = (out: string) => out.split("\n").filter((line) => line.includes("sum")).sort();

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

for (const flags of [[], ["--transport", "tcp"], ["--processes"]]) {
  const where = flags.join(" ") || "workers";

  Deno.test(`launch ${where}: every rank meets the others, its lines begin with its number`, async () => {
    const { code, out, err } = await run("--ranks", "3", ...flags, script.href, "--", "sum", "x", "--flag");
    assertEquals([code, err], [0, ""]);
    assertEquals(sums(out), ["[0] sum 3,3", "[1] sum 3,3", "[2] sum 3,3"]);
    assertEquals(
      out.split("\n").filter((line) => /^\[\d\] of 3 \{ list: \[ 1 \] \} --flag$/.test(line)).length,
      3,
      out,
    );
    assertEquals(out.trimEnd().split("\n").length, 6);
  });

  Deno.test(`launch ${where}: the error of the rank that fails is the launcher's, not that of those it lets down`, async () => {
    const { code, err } = await run("--ranks", "3", ...flags, script.href, "throw", "1");
    assertEquals(code, 1);
    const [first, ...stack] = err.trimEnd().split("\n");
    assertEquals(first, "error: Cannot go on: rank 1 failed: RangeError: the deed");
    // Once, with the place in the script; what the others say of it is not printed.
    assertEquals(stack.filter((line) => /launch_script\.ts:26:/.test(line)).length, 1, err);
    assertEquals(err.split("the deed").length, flags[0] === "--processes" ? 3 : 2, err); // its line in the script
    assert(!err.includes("TransportError"), err);
  });

  Deno.test(`launch ${where}: a rank that ends before the others is named by them, at once`, async () => {
    const begin = performance.now(), { code, err } = await run("--ranks", "3", ...flags, script.href, "short", "1");
    assertEquals(code, 1);
    assertMatch(
      err,
      /^error: Cannot go on: rank 1 ended before the others: rank [02] failed: TransportError: .*rank 1/m,
    );
    assert(performance.now() - begin < 15_000, "it took as long as the deadline");
  });

  Deno.test(`launch ${where}: ranks that do not dispose of their group end all the same`, async () => {
    const begin = performance.now(), { code, err } = await run("--ranks", "2", ...flags, script.href, "careless");
    assertEquals([code, err], [0, ""]);
    assert(performance.now() - begin < 15_000, "it took as long as the deadline");
  });

  Deno.test(`launch ${where}: ranks whose facts differ are refused, each of them`, async () => {
    const { code, out } = await run("--ranks", "3", ...flags, script.href, "differ", "1");
    const why = "Cannot train together: seed differs: ranks 0, 2 have 7, rank 1 has 8";
    assertEquals([code, out.trimEnd().split("\n").sort()], [0, [0, 1, 2].map((rank) => `[${rank}] ${why}`)]);
  });

  Deno.test(`launch ${where}: the exit code of the rank that fails is the launcher's`, async () => {
    const { code, err } = await run("--ranks", "2", ...flags, script.href, "exit", "1");
    assertEquals(code, 7, err);
    assertMatch(err, /^error: Cannot go on: rank 1 ended with exit code 7$/m);
  });
}

Deno.test("launch: a second group of the same ranks", async () => {
  const { code, out } = await run("--ranks", "2", script.href, "again");
  assertEquals([code, out], [0, "[0] again 4,8\n"]);
});

Deno.test("launch: an error in an event, an exit code that was set", async () => {
  const late = await assertRejects(() => launch({ script, ranks: 2, args: ["later", "1"] }), LaunchError);
  assertEquals([late.rank, late.code], [1, 1]);
  assertMatch(late.message, /rank 1 failed: RangeError: the late deed/);
  assertMatch((late.cause as Error).stack!, /launch_script\.ts:\d+:\d+/);
  const code = await assertRejects(() => launch({ script, ranks: 1, args: ["code", "0"] }), LaunchError);
  assertEquals([code.rank, code.code], [0, 5]);
});

Deno.test("launch: a process that is killed is named, and the others are ended", async () => {
  const error = await assertRejects(
    () => launch({ script, ranks: 3, processes: true, prefix: false, args: ["kill", "2"], timeout: 5000 }),
    LaunchError,
  );
  assertEquals([error.rank, error.code], [2, 137]);
  assertMatch(error.message, /rank 2 was ended by SIGKILL/);
});

Deno.test("launch: lines of processes are not torn", async () => {
  const { code, out } = await run("--ranks", "2", "--processes", script.href, "noise");
  assertEquals(code, 0);
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.length, 600);
  for (const line of lines) assertMatch(line, /^\[[01]\] x{100}$/);
});

Deno.test("launch: Ctrl-C ends all processes", async () => {
  const child = start([command.href, "--ranks", "2", "--processes", script.href, "hang", "1"]);
  const stdout = child.stdout.cancel(), reader = child.stderr.getReader();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const begin = performance.now();
  child.kill("SIGINT");
  const { code } = await child.status;
  assertEquals(code, 130);
  assert(performance.now() - begin < 5000);
  // The pipe ends when the last process that holds it has ended.
  while (!(await reader.read()).done);
  await stdout;
});

Deno.test("launch: two machines meet at the rendezvous", async () => {
  const rendezvous = `127.0.0.1:${freePort()}`,
    node = (rank: string, ...flags: string[]) =>
      run(
        "--ranks",
        "2",
        "--nodes",
        "2",
        "--node-rank",
        rank,
        "--rendezvous",
        rendezvous,
        ...flags,
        script.href,
        "sum",
      );
  const [first, second] = await Promise.all([node("0"), node("1", "--processes")]);
  assertEquals([first.code, second.code], [0, 0], first.err + second.err);
  assertEquals(sums(first.out + second.out), ["[0] sum 6,4", "[1] sum 6,4", "[2] sum 6,4", "[3] sum 6,4"]);
});

Deno.test("launch: options are checked", async () => {
  const refused = async (options: object, message: string, type: typeof RangeError | typeof TypeError = TypeError) =>
    void await assertRejects(() => launch({ script, ranks: 1, ...options } as LaunchOptions), type, message);
  await refused({ ranks: 0 }, "Cannot launch: ranks is 0, expected an integer from 1 to 1024", RangeError);
  await refused({ nodes: 2, nodeRank: 2 }, "nodeRank is 2, expected an integer from 0 to 1", RangeError);
  await refused({ nodes: 2 }, "Cannot launch on 2 nodes: rendezvous is missing");
  await refused({ rendezvous: "nowhere" }, 'rendezvous is "nowhere", expected "host:port"', RangeError);
  await refused({ timeout: -1 }, "timeout is -1, expected a number > 0 and < 2147483648, in ms", RangeError);
  await refused({ connectTimeout: 0 }, "connectTimeout is 0, expected a number > 0", RangeError);
  await refused({ roundTimeout: NaN }, "roundTimeout is NaN, expected a number > 0", RangeError);
  await refused({ transport: "pigeon" }, 'transport is "pigeon", expected one of broadcast, tcp');
  await refused({ transport: "broadcast", processes: true }, "Cannot launch over broadcast");
  await refused({ rank: 1 }, 'there is no option "rank", expected one of script, ranks');
  const folder = new URL(".", import.meta.url);
  await refused({ script: folder }, `the script ${folder.href} is a folder, expected a module in it`);
  await refused({ script: new URL("none.ts", folder) }, `there is no script ${folder.href}none.ts, expected a module`);
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

Deno.test("launch: 64 workers start and meet with the options as they are", async () => {
  using folder = folderOf({ "rank.ts": `${meet} console.log("met", group.size);` });
  const { code, out, err } = await result(launcher(["--ranks", "64", `${folder.path}/rank.ts`]));
  assertEquals([code, err, out.trimEnd().split("\n").length], [0, "", 64]);
});
