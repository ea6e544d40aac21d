import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import { launch, LaunchError } from "../../../transport/launch/mod.ts";
import { folderOf, launcher, meet, result } from "./launcher.ts";

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
