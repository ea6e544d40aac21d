/**
 * The program of a worker that the launcher starts.
 *
 * It sets the worker's place, makes the worker look like the main thread of `deno run`, runs the script, and tells the
 * launcher how the script ends. The worker lives until its event loop is empty, as a process does.
 *
 * @module
 */

import * as nodeModule from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { failureOf } from "./failure.ts";
import { hasConnected, setPlace } from "../place.ts";
import type { RankStart, Said } from "./start.ts";
import { onUncaught } from "../uncaught.ts";

const { script, prefix, place } = workerData as RankStart;
let exiting = false;

setPlace(place);
if (prefix) prefixConsole(`[${place.rank}] `);
look();
exits();
runAsMain(await remoteSource());
// The import is not awaited, so that an error in the script is an unhandled rejection, as in any program.
void import(script);

function say(said: Said): void {
  parentPort!.postMessage(said);
}

/** Sets the globals and the arguments that a main thread has. */
function look(): void {
  const define = (target: object, name: string, value: unknown) =>
    Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true });
  define(Deno, "args", Object.freeze([...place.args]));
  define(Deno, "mainModule", script);
  define(globalThis, "self", globalThis);
  process.argv = [process.execPath, script.startsWith("file:") ? fileURLToPath(script) : script, ...place.args];
}

/** Tells the launcher how this thread ends, before other ranks notice it. The launcher prints errors that nobody handles. */
function exits(): void {
  const { exit } = Deno, processExit = process.exit.bind(process);
  let left = false;
  const leave = () => {
    if (!left) say({ gradwire: "ended", connected: hasConnected() });
    left = true;
  };
  process.exit = (code) => {
    exiting = true;
    return processExit(code); // It calls Deno.exit.
  };
  Deno.exit = (code = Deno.exitCode) => {
    exiting = true;
    leave();
    return exit(code);
  };
  process.on("exit", () => {
    leave();
    // Open groups tell their peers at this event, which Deno itself sends only where the script calls exit.
    if (!exiting) globalThis.dispatchEvent(new Event("unload"));
  });
  onUncaught((error) => {
    say({ gradwire: "failed", failure: failureOf(error) });
    queueMicrotask(() => process.exit(1)); // By then the groups have told their peers.
    return true;
  });
}

/** The functions of node:module that its types do not declare everywhere. */
interface Hooks {
  registerHooks?: (hooks: { load: Load }) => { deregister(): void };
  stripTypeScriptTypes?: (code: string, options: { mode: "strip" | "transform" }) => string;
}
type Loaded = { source?: unknown; format?: string; shortCircuit?: boolean };
type Load = (url: string, context: unknown, next: (url: string, context: unknown) => Loaded) => Loaded;

/** Makes `import.meta.main` true in the script, which is false for Deno, because this module imports the script. */
function runAsMain(remote: string | undefined): void {
  let stop = () => {};
  const hooks = (nodeModule as unknown as Hooks).registerHooks?.({
    load(url, context, next) {
      const loaded = next(url, context), source = remote ?? loaded.source;
      stop(); // The first module that is loaded is the script.
      if (typeof source !== "string" || loaded.format === "commonjs") return loaded;
      // This goes to the first line, where a #! may stand, so that errors keep their line numbers.
      const rest = source.startsWith("#!") ? `//${source}` : source;
      return { ...loaded, source: `import.meta.main = true; ${rest}`, shortCircuit: true };
    },
  });
  if (hooks !== undefined) stop = () => hooks.deregister();
}

/** The JavaScript of a script that is no file. The hook is given the source of files only. */
async function remoteSource(): Promise<string | undefined> {
  if (script.startsWith("file:")) return undefined;
  let text: string;
  try {
    ({ default: text } = await import(script, { with: { type: "text" } }));
  } catch {
    return undefined; // The import of the script as a module then says why.
  }
  const { stripTypeScriptTypes: strip } = nodeModule as unknown as Hooks;
  if (strip === undefined || /^data:[\w/]*javascript|^[^?#]*\.m?js([?#]|$)/.test(script)) return text;
  for (const mode of ["strip", "transform"] as const) {
    try {
      return strip(text, { mode });
    } catch {
      // Enumerations need more than "strip" does; and the text may be no TypeScript at all.
    }
  }
  return text;
}

/** Puts `prefix` before every line that the script prints through the console. */
function prefixConsole(prefix: string): void {
  for (const method of ["log", "info", "debug", "warn", "error"] as const) {
    const print = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      print("%s", prefix + format(...values).replaceAll("\n", `\n${prefix}`));
    };
  }
}
