import { assertEquals } from "@std/assert/mod.js";
import { folderOf, gone, launcher, meet, until } from "./launcher.ts";

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
