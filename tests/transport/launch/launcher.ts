/** What tests of the launcher share: folders with scripts, and the command. @module */

import { assert } from "@std/assert/mod.js";

/** The address of the part of the library that needs no other packages, for scripts that lie elsewhere. */
export const library = new URL("../../../transport/mod.ts", import.meta.url).href;

/** A folder with these files, by path, which is removed at the end. */
export function folderOf(files: Readonly<Record<string, string>>): { readonly path: string } & Disposable {
  const path = Deno.realPathSync(Deno.makeTempDirSync());
  for (const [name, text] of Object.entries(files)) {
    const file = `${path}/${name}`;
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(file, text);
  }
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** A process of Deno. */
export function deno(args: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
    args: [...args],
    env: { NO_COLOR: "1", ...options.env },
  });
}

/** How a command ended and what it printed. */
export async function result(child: Deno.Command | Deno.ChildProcess) {
  const { code, stdout, stderr } = await child.output(), decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** The launcher's command with these arguments, run with these flags of `deno run`. */
export function launcher(args: readonly string[], options: Deno.CommandOptions & { flags?: readonly string[] } = {}) {
  const { flags = ["-A"], ...rest } = options;
  return deno(["run", "--no-check", ...flags, command.href, ...args], rest);
}

/** The lines, without order: ranks print when they like. */
export const lines = (text: string): string[] => text.trimEnd().split("\n").sort();

/** A script that does what its arguments say; and the launcher's command. */
export const script: URL = new URL("./launch_script.ts", import.meta.url),
  command: URL = new URL("../../../launch.ts", import.meta.url);

export function start(args: readonly string[], env: Record<string, string> = {}, flags: readonly string[] = ["-A"]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, ...args],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command; its exit code and what it printed. */
export async function run(...args: string[]) {
  const { code, stdout, stderr } = await start([command.href, ...args]).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

/** Resolves when no process with this number is left. */
export async function gone(pid: number): Promise<void> {
  for (let waited = 0;; waited++) {
    const { stdout } = await new Deno.Command("ps", { args: ["-o", "stat=", "-p", `${pid}`] }).output();
    const state = new TextDecoder().decode(stdout).trim();
    if (state === "" || state.startsWith("Z")) return; // The dead whom nobody has waited for are gone, too.
    if (waited === 300) Deno.kill(pid, "SIGKILL");
    assert(waited < 300, `process ${pid} lives`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Reads until the text has come. */
export async function until(text: string, from: ReadableStream<Uint8Array>): Promise<string> {
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

/** What a rank does that connects and performs a round. */
export const meet = `import { connect } from ${JSON.stringify(library)};
  using group = await connect(); group.perform({ op: "allReduce", vector: new Float32Array(1) });`;
