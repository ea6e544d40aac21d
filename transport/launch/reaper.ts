/** Ends the processes of a launch when the launcher is gone, however it was ended, also by SIGKILL. @module */

/** A process that ends the watched processes when this process ends before it has called `forget`. */
export interface Reaper extends AsyncDisposable {
  /**
   * Watches a process. Resolves when that process will be ended with this one. Whoever starts many processes awaits this for
   * each, so that at no time more than one of them would outlive this process.
   */
  watch(pid: number): Promise<void>;
  /** Stops watching a process, which has ended. */
  forget(pid: number): void;
}

/**
 * The program of the reaper. It reads process ids to watch, and with a minus those to forget, until the system closes its
 * stdin, which happens when the launcher ends. It outlives Ctrl-C, which the terminal sends to it too.
 */
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

/** Starts the reaper. */
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
