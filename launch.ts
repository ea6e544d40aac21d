/**
 * The command that starts the ranks of a group: `deno run -A launch.ts --ranks 4 script.ts`. See `--help`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse_args.js";
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
  string: ["ranks", "transport", "timeout", "nodes", "node-rank", "rendezvous"],
  boolean: ["processes", "prefix", "help"],
};

/** The options of a command line, or undefined if it asks for help. */
export function parseCommand(args: readonly string[]): LaunchOptions | undefined {
  const parsed = parseArgs([...args], {
    string: options.string,
    boolean: options.boolean,
    negatable: ["prefix"],
    default: { prefix: true },
    stopEarly: true,
    "--": true,
    unknown: (arg: string) => {
      if (!arg.startsWith("-")) return;
      const list = [...options.string, ...options.boolean].map((name) => `--${name === "prefix" ? "no-prefix" : name}`);
      throw new TypeError(`Cannot launch: unknown option ${arg.split("=")[0]}, known are ${list.join(", ")}`);
    },
  }) as
    & { _: (string | number)[]; prefix: boolean; processes: boolean; help: boolean }
    & Record<string, string | undefined>;
  if (parsed.help) return undefined;
  const [script, ...rest] = parsed._.map(String), after = (parsed["--"] ?? []) as unknown as string[];
  if (script === undefined) throw new TypeError("Cannot launch: no script is given; --help tells how");
  const number = (name: string) => {
    const text = parsed[name];
    if (text === undefined) return undefined;
    if (text.trim() === "" || Number.isNaN(Number(text))) {
      throw new TypeError(`Cannot launch: --${name} is "${text}", expected a number`);
    }
    return Number(text);
  };
  const given = {
    nodes: number("nodes"),
    nodeRank: number("node-rank"),
    timeout: parsed.timeout === undefined ? undefined : number("timeout")! * 1000,
    transport: parsed.transport,
    rendezvous: parsed.rendezvous,
  };
  return {
    script,
    args: rest.length === 0 ? after : after.length === 0 ? rest : [...rest, "--", ...after],
    ranks: number("ranks") ?? navigator.hardwareConcurrency,
    processes: parsed.processes,
    prefix: parsed.prefix,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
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
