/** The command line of the launcher: its options, its help, and its exit codes. @module */

import { parseArgs } from "node:util";
import { meant, noOption } from "../../options.ts";
import { launch, LaunchError, type LaunchOptions } from "./start_ranks.ts";
import { inItsProject } from "./project.ts";

const help = `Runs a script on several ranks, which find one another with \`await connect()\`.

Usage: deno run -A launch.ts [options] script.ts [--] [script's arguments]

  --ranks N               ranks to start on this machine (default: the cores it has)
  --processes             processes instead of workers of one process
  --transport NAME        broadcast (default for workers) or tcp
  --connect-timeout S     seconds until all ranks must have connected (default 30, and 5 for each rank)
  --timeout S             seconds that a rank which others wait for may be silent (default 30)
  --round-timeout S       seconds that one round may take in all (default: as long as it takes)
  --no-prefix             print lines as they are, without the rank before them
  --nodes N               machines that take part, each with the same --ranks (default 1)
  --node-rank I           this machine's number, from 0 (default 0)
  --rendezvous HOST:PORT  where rank 0 listens; needed with --nodes
  --help                  print this

Ranks run as under deno run, with the flags and permissions of this command: import.meta.main, Deno.args and the script's
own deno.json are as there. The exit code is that of the first rank that fails; the others are then ended. 130 after Ctrl-C;
2 if the command is wrong.`;

const options = {
  ranks: { type: "string" },
  processes: { type: "boolean" },
  transport: { type: "string" },
  "connect-timeout": { type: "string" },
  timeout: { type: "string" },
  "round-timeout": { type: "string" },
  "no-prefix": { type: "boolean" },
  nodes: { type: "string" },
  "node-rank": { type: "string" },
  rendezvous: { type: "string" },
  help: { type: "boolean" },
} as const;

type Values = { [name in keyof typeof options]?: (typeof options)[name]["type"] extends "string" ? string : boolean };

/** The options of a command line, or undefined if it asks for help. */
export function parseCommand(args: readonly string[]): LaunchOptions | undefined {
  const { values, script, rest } = split(args);
  if (values.help) return undefined;
  const number = (name: keyof Values, unit = 1) => {
    const text = values[name] as string | undefined;
    if (text === undefined) return undefined;
    if (text.trim() === "" || Number.isNaN(Number(text))) {
      throw new TypeError(`Cannot launch: --${name} is "${text}", expected a number`);
    }
    return Number(text) * unit;
  };
  const given = {
    nodes: number("nodes"),
    nodeRank: number("node-rank"),
    connectTimeout: number("connect-timeout", 1000),
    timeout: number("timeout", 1000),
    roundTimeout: number("round-timeout", 1000),
    transport: values.transport as LaunchOptions["transport"],
    rendezvous: values.rendezvous,
  };
  const ranks = number("ranks");
  if (script === undefined) {
    throw new TypeError("Cannot launch: no script is given, expected one after the options; --help tells how");
  }
  return {
    script,
    args: rest[0] === "--" ? rest.slice(1) : rest,
    ranks: ranks ?? navigator.hardwareConcurrency,
    processes: values.processes ?? false,
    prefix: !values["no-prefix"],
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** The command's own options, the script, and what follows the script, which is the script's. */
function split(args: readonly string[]): { values: Values; script: string | undefined; rest: readonly string[] } {
  const list = [...args], { tokens } = parseArgs({ args: list, options, strict: false, tokens: true });
  const first = tokens.find(({ kind }) => kind !== "option"), at = first?.index ?? args.length;
  const unknown = tokens.find((token) => token.kind === "option" && token.index < at && !(token.name in options));
  if (unknown?.kind === "option") {
    const known = Object.keys(options).map((name) => `--${name}`);
    // One of deno's own, in the wrong place.
    const how = /^(-[A-Z]|--(allow|deny|no)-.*|--config|--check|--reload)$/.test(unknown.rawName)
      ? `. Flags of deno stand before the launcher: deno run ${unknown.rawName} …`
      : meant(unknown.rawName, known);
    throw new TypeError(`Cannot launch: ${noOption(unknown.rawName, known, how)}`);
  }
  const from = first?.kind === "option-terminator" ? at + 1 : at, rest = args.slice(from + 1);
  const late = rest[0] === "--"
    ? undefined
    : rest.find((arg) => ["--ranks", "--processes", "--nodes"].includes(arg.split("=")[0]!));
  if (late !== undefined) {
    throw new TypeError(
      `Cannot launch: ${late} stands after the script ${
        args[from]
      }, expected it before; or -- between the script and ` +
        "arguments of its own",
    );
  }
  try {
    const { values } = parseArgs({ args: list.slice(0, at), options });
    return { values, script: args[from], rest };
  } catch (cause) {
    throw new TypeError(`Cannot launch: ${(cause as Error).message.replaceAll("\n", " ")}`, { cause });
  }
}

/** Does what a command line asks for, in another process where it must be; returns the exit code. */
export function command(args: readonly string[]): Promise<number> {
  return launchCommand(args, inItsProject);
}

/** Does what a command line asks for in this process, unless `elsewhere` does it; returns the exit code. */
export async function launchCommand(args: readonly string[], elsewhere?: typeof inItsProject): Promise<number> {
  try {
    const options = parseCommand(args);
    if (options === undefined) {
      console.log(help);
      return 0;
    }
    return await elsewhere?.(options, args) ?? (await launch(options), 0);
  } catch (error) {
    const { message, cause } = error as Error;
    console.error(`error: ${message}`);
    if (!(error instanceof LaunchError)) return 2;
    if (cause instanceof Error) console.error(afterMessage(cause));
    return error.code;
  }
}

/** What a stack tells besides the error's name and message, which have been said. */
function afterMessage({ name, message, stack = "" }: Error): string {
  const said = [`${name}: ${message}`, message, name].find((said) => stack.startsWith(said)) ?? "";
  return stack.slice(said.length).replace(/^\n/, "");
}
