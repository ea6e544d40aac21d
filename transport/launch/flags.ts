/** The flags of `deno run` with which the processes of a launch are started. @module */

import { variables } from "../environment.ts";

/** Flags that a rank must not have, because they are for one process alone or would do their work again for each rank. */
const ownOnly = /^(--watch|--hmr|--no-clear-screen|--inspect|--reload|-r$|-r=|--tunnel|--connected|-t$)/;
/** Flags that other commands of Deno share with `deno run`, and those of them whose value is the next word. */
const shared =
  /^(-[ARWNESIq]+|-[RWNESIP]=.*|--(allow|deny|ignore|unstable)-.*|-P|--(permission-set|v8-flags|node-modules-dir|vendor|no-lock|frozen|cached-only|no-remote|no-npm|no-config|config|import-map|lock|cert|location|seed|env-file|quiet|no-check|conditions)(=.*)?)$/;
const followed = /^(-c|--config|--import-map|--cert|--location|--seed|--conditions)$/;
const commands = /^(run|test|bench|serve|eval|task|repl|jupyter|compile|lint|doc|check|cache|install)$/;

/** The flags in a command line. `words` begin with the program and end with the arguments of the script, `args`. */
export function flagsOf(words: readonly string[], args: readonly string[]): string[] {
  const end = words.length - args.length;
  const mine = args.every((arg, i) => words[end + i] === arg) ? words.slice(1, end) : words.slice(1);
  const at = mine.findIndex((word) => commands.test(word)), command = at === -1 ? "run" : mine[at]!;
  // After `deno run` stand its flags and the script.
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

/** The flags of this process; none on Windows, which does not tell them. */
export async function ownFlags(): Promise<string[]> {
  const words = Deno.build.os === "windows" ? undefined : await commandLine();
  return words === undefined ? [] : flagsOf(words, Deno.args);
}

async function commandLine(): Promise<string[] | undefined> {
  const linux = Deno.build.os === "linux";
  try {
    if (linux) return split(Deno.readFileSync("/proc/self/cmdline"));
  } catch {
    // Reading the file needs all permissions; a program that prints it needs one.
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
 * The flags for a rank: the flags of this process, with their lists and denials; permissions that this process has in full
 * although no flag says so; and what it takes to connect to `host`.
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
