/** The flags of `deno run` that the processes of a launch are started with. @module */

import { variables } from "../environment.ts";

/** Flags that a rank must not have: they are for one process alone, or would do their work again for every rank. */
const ownOnly = /^(--watch|--hmr|--no-clear-screen|--inspect|--reload|-r$|-r=|--tunnel|--connected|-t$)/;
/** Flags of commands other than `deno run` that `deno run` has too; those that are followed by their value. */
const shared =
  /^(-[ARWNESIq]+|-[RWNESIP]=.*|--(allow|deny|ignore|unstable)-.*|-P|--(permission-set|v8-flags|node-modules-dir|vendor|no-lock|frozen|cached-only|no-remote|no-npm|no-config|config|import-map|lock|cert|location|seed|env-file|quiet|no-check|conditions)(=.*)?)$/;
const followed = /^(-c|--config|--import-map|--cert|--location|--seed|--conditions)$/;
const commands = /^(run|test|bench|serve|eval|task|repl|jupyter|compile|lint|doc|check|cache|install)$/;

/** The flags among a command line's words, program first, of a process with these arguments of its own. */
export function flagsOf(words: readonly string[], args: readonly string[]): string[] {
  const end = words.length - args.length;
  const mine = args.every((arg, i) => words[end + i] === arg) ? words.slice(1, end) : words.slice(1);
  const at = mine.findIndex((word) => commands.test(word)), command = at === -1 ? "run" : mine[at]!;
  // What is left of `deno run` is its flags and the script.
  const list = at === -1 ? mine : mine.toSpliced(at, 1), runs = command === "run";
  const flags: string[] = [];
  for (let i = 0; i < list.length - (runs ? 1 : 0); i++) {
    const word = list[i]!;
    if (runs) {
      if (!ownOnly.test(word)) flags.push(word);
    } else if (followed.test(word) && i + 1 < list.length) flags.push(word, list[++i]!);
    else if (shared.test(word)) flags.push(word);
  }
  return flags;
}

/** This process's flags, where the system tells them: not on Windows. */
export async function ownFlags(): Promise<string[]> {
  const words = Deno.build.os === "windows" ? undefined : await commandLine();
  return words === undefined ? [] : flagsOf(words, Deno.args);
}

async function commandLine(): Promise<string[] | undefined> {
  const linux = Deno.build.os === "linux";
  try {
    if (linux) return split(Deno.readFileSync("/proc/self/cmdline"));
  } catch {
    // That needs all permissions; a program that prints it needs one.
  }
  const [program, ...args] = linux
    ? ["cat", `/proc/${Deno.pid}/cmdline`]
    : ["ps", "-ww", "-o", "args=", "-p", `${Deno.pid}`];
  if (Deno.permissions.querySync({ name: "run", command: program! }).state !== "granted") return undefined;
  try {
    const { stdout } = await new Deno.Command(program!, { args, stdin: "null", stderr: "null" }).output();
    return linux ? split(stdout) : new TextDecoder().decode(stdout).trim().split(/\s+/);
  } catch {
    return undefined;
  }
}

function split(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).split("\0").slice(0, -1);
}

/**
 * The flags for a rank: this process's own, with their lists and denials; what it may do without restriction although no
 * flag says so; and what connecting needs.
 */
export function rankFlags(own: readonly string[], host: string): string[] {
  const state = (name: Deno.PermissionName) => Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state;
  const names = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as Deno.PermissionName[];
  const letters: Record<string, string> = { read: "R", write: "W", net: "N", env: "E", sys: "S", import: "I" };
  const has = (name: string) =>
    own.some((flag) =>
      flag === `--allow-${name}` || (/^-[ARWNESIq]+$/.test(flag) && new RegExp(`[A${letters[name] ?? ""}]`).test(flag))
    ) || own.includes("--allow-all");
  const granted = names.filter((name) => state(name) === "granted"),
    free = own.every((flag) => flag !== "-A" && flag !== "--allow-all");
  return [
    ...new Set(["--no-prompt", ...own]),
    ...granted.filter((name) => !has(name)).map((name) => `--allow-${name}`),
    ...(free && !granted.includes("net") ? [`--allow-net=${host.includes(":") ? `[${host}]` : host},127.0.0.1`] : []),
    ...(free && !granted.includes("env") ? [`--allow-env=${variables.join(",")}`] : []),
  ];
}
