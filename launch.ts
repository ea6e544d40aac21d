/**
 * The command that starts the ranks of a group: `deno run -A launch.ts --ranks 4 script.ts`. See `--help`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { launch, LaunchError, type LaunchOptions } from "./transport/launch.ts";

const help = `Runs a script on several ranks, which find one another with \`await connect()\`.

Usage: deno run -A launch.ts [options] script.ts [--] [script's arguments]

  --ranks N               ranks to start on this machine (default: the cores it has)
  --processes             processes instead of workers of one process
  --transport NAME        broadcast (default for workers) or tcp
  --timeout SECONDS       how long ranks wait for one another (default 30)
  --no-prefix             print lines as they are, without the rank before them
  --nodes N               machines that take part, each with the same --ranks (default 1)
  --node-rank I           this machine's number, from 0 (default 0)
  --rendezvous HOST:PORT  where rank 0 listens; needed with --nodes
  --help                  print this

Processes run with the permissions of this command. The exit code is that of the first rank that fails; the others are
then ended. 130 after Ctrl-C; 2 if the command is wrong.`;

const options = {
  ranks: { type: "string" },
  processes: { type: "boolean" },
  transport: { type: "string" },
  timeout: { type: "string" },
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
  if (script === undefined) throw new TypeError("Cannot launch: no script is given; --help tells how");
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
    timeout: number("timeout", 1000),
    transport: values.transport as LaunchOptions["transport"],
    rendezvous: values.rendezvous,
  };
  return {
    script,
    args: rest[0] === "--" ? rest.slice(1) : rest,
    ranks: number("ranks") ?? navigator.hardwareConcurrency,
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
    const known = Object.keys(options).map((name) => `--${name}`).join(", ");
    throw new TypeError(`Cannot launch: unknown option ${unknown.rawName}, known are ${known}`);
  }
  const from = first?.kind === "option-terminator" ? at + 1 : at;
  try {
    const { values } = parseArgs({ args: list.slice(0, at), options });
    return { values, script: args[from], rest: args.slice(from + 1) };
  } catch (cause) {
    throw new TypeError(`Cannot launch: ${(cause as Error).message}`, { cause });
  }
}

/** Does what a command line asks for; returns the exit code. */
export async function command(args: readonly string[]): Promise<number> {
  try {
    const options = parseCommand(args);
    if (options === undefined) console.log(help);
    else await launch(options);
    return 0;
  } catch (error) {
    const { message, cause } = error as Error;
    console.error(`error: ${message}`);
    if (error instanceof LaunchError && (cause as Error | undefined)?.stack) console.error((cause as Error).stack);
    return error instanceof LaunchError ? error.code : 2;
  }
}

// Exits, which also ends workers that are in the middle of something.
if (import.meta.main) Deno.exit(await command(Deno.args));
