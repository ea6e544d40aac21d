import { assertEquals } from "@std/assert/mod.js";
import { folderOf, gone, launcher, meet, until } from "./launcher.ts";

/** The number of each signal, by which Linux says which ones a process ignores. */
const numbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 } as const;

/**
 * Whether this process was started with a signal ignored, as shells start commands in the background. What it starts then
 * ignores the signal too, so that nothing ends by it.
 */
function isIgnored(signal: keyof typeof numbers): boolean {
  if (Deno.build.os !== "linux") return false;
  // The file of this process may not be read without all permissions; a program that it starts ignores the same signals.
  const { stdout } = new Deno.Command("grep", { args: ["SigIgn", "/proc/self/status"] }).outputSync();
  const [, mask] = /^SigIgn:\s*([\da-f]+)/.exec(new TextDecoder().decode(stdout))!;
  return (BigInt(`0x${mask}`) >> BigInt(numbers[signal] - 1) & 1n) === 1n;
}

for (const signal of ["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const) {
  for (const mode of ["--processes", "elsewhere"]) {
    Deno.test({
      name: `launch ${mode}: no rank outlives a launcher that is ended by ${signal}`,
      ignore: Deno.build.os === "windows" || isIgnored(signal),
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
