/**
 * What a worker that the launcher started does: it learns its place, makes itself look to the script as the main thread of
 * `deno run`, runs the script, and says how that ends. It lives until its event loop is empty, as a process does.
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
import type { Said, Start } from "./start.ts";
import { onUncaught } from "../uncaught.ts";

const { script, prefix, place } = workerData as Start;
let exiting = false;

setPlace(place);
if (prefix) prefixConsole(`[${place.rank}] `);
look();
exits();
runAsMain(await remoteSource());
// Not awaited: when it fails, that is an unhandled rejection, as in any program.
void import(script);

function say(said: Said): void {
  parentPort!.postMessage(said);
}

/** The globals and the arguments of a main thread. */
function look(): void {
  const define = (target: object, name: string, value: unknown) =>
    Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true });
  define(Deno, "args", Object.freeze([...place.args]));
  define(Deno, "mainModule", script);
  define(globalThis, "self", globalThis);
  process.argv = [process.execPath, script.startsWith("file:") ? fileURLToPath(script) : script, ...place.args];
}

/** Says how this thread ends, before other ranks notice. Deno would print an error that nobody handles; the launcher does. */
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
    // Groups that are still open take leave. Deno says so itself where the script exits.
    if (!exiting) globalThis.dispatchEvent(new Event("unload"));
  });
  onUncaught((error) => {
    say({ gradwire: "failed", failure: failureOf(error) });
    queueMicrotask(() => process.exit(1)); // When the groups have told their peers.
    return true;
  });
}

/** Some of node:module that its types do not have everywhere. */
interface Hooks {
  registerHooks?: (hooks: { load: Load }) => { deregister(): void };
  stripTypeScriptTypes?: (code: string, options: { mode: "strip" | "transform" }) => string;
}
type Loaded = { source?: unknown; format?: string; shortCircuit?: boolean };
type Load = (url: string, context: unknown, next: (url: string, context: unknown) => Loaded) => Loaded;

/** Makes `import.meta.main` true in the script, which for Deno is but a module that this one imports. */
function runAsMain(remote: string | undefined): void {
  let stop = () => {};
  const hooks = (nodeModule as unknown as Hooks).registerHooks?.({
    load(url, context, next) {
      const loaded = next(url, context), source = remote ?? loaded.source;
      stop(); // The script is what is loaded first.
      if (typeof source !== "string" || loaded.format === "commonjs") return loaded;
      // On the first line, where a #! may stand, so that errors keep their line numbers.
      const rest = source.startsWith("#!") ? `//${source}` : source;
      return { ...loaded, source: `import.meta.main = true; ${rest}`, shortCircuit: true };
    },
  });
  if (hooks !== undefined) stop = () => hooks.deregister();
}

/** The JavaScript of a script that is no file: the hook is given that of files only. */
async function remoteSource(): Promise<string | undefined> {
  if (script.startsWith("file:")) return undefined;
  let text: string;
  try {
    ({ default: text } = await import(script, { with: { type: "text" } }));
  } catch {
    return undefined; // Importing it as a module tells why.
  }
  const { stripTypeScriptTypes: strip } = nodeModule as unknown as Hooks;
  if (strip === undefined || /^data:[\w/]*javascript|^[^?#]*\.m?js([?#]|$)/.test(script)) return text;
  for (const mode of ["strip", "transform"] as const) {
    try {
      return strip(text, { mode });
    } catch {
      // Enumerations and the like need more than types to be left out; or it is no TypeScript.
    }
  }
  return text;
}

/** Begins every line that goes through the console with `prefix`. */
function prefixConsole(prefix: string): void {
  for (const method of ["log", "info", "debug", "warn", "error"] as const) {
    const print = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      print("%s", prefix + format(...values).replaceAll("\n", `\n${prefix}`));
    };
  }
}
