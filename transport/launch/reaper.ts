/** What ends processes when the one that started them is gone, however it was ended, by SIGKILL too. @module */

/** Ends processes that are watched when this process ends before it says `forget`. */
export interface Reaper extends AsyncDisposable {
  /**
   * Resolves when this process may be ended and the other one is ended too. Whoever starts many awaits this for each, so that
   * there is never more than one that nobody would end.
   */
  watch(pid: number): Promise<void>;
  forget(pid: number): void;
}

/** It lives as long as its stdin, which the system closes when this process ends, and outlives Ctrl-C. */
const program = `
const pids = new Set();
for (const signal of Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP"]) {
  Deno.addSignalListener(signal, () => {});
}
let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const words = (rest + text).split(" ");
  rest = words.pop();
  for (const word of words) word[0] === "-" ? pids.delete(Number(word.slice(1))) : pids.add(Number(word));
}
for (const pid of pids) {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
Deno.exit();`;

/** Starts a process that does that. */
export function startReaper(): Reaper {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--allow-run",
      `data:text/javascript,${encodeURIComponent(program)}`,
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter(), encoder = new TextEncoder();
  const say = (text: string) => writer.write(encoder.encode(text)).catch(() => {});
  return {
    watch: (pid) => say(`${pid} `),
    forget: (pid) => void say(`-${pid} `),
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await child.status;
    },
  };
}
