/**
 * What a worker that the launcher started does: learns its place, prefixes what it prints, runs the script, reports the
 * end.
 *
 * @module
 */

import { format } from "node:util";
import { type Ended, settle, type Start } from "./place.ts";

const scope = globalThis as unknown as {
  postMessage(message: Ended): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Start>) => void, options: { once: true }): void;
  close(): void;
};

scope.addEventListener("message", ({ data }) => void run(data), { once: true });

async function run({ script, prefix, place }: Start): Promise<void> {
  settle(place);
  if (prefix) prefixConsole(`[${place.rank}] `);
  const { exit } = Deno;
  Deno.exit = (code = Deno.exitCode) => {
    scope.postMessage({ gradwire: "ended", code });
    return exit(code);
  };
  try {
    await import(script);
    scope.postMessage({ gradwire: "ended", code: Deno.exitCode });
    globalThis.dispatchEvent(new Event("unload")); // groups that are still open tell their peers
  } catch (error) {
    globalThis.dispatchEvent(new ErrorEvent("error", { error, cancelable: true }));
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ gradwire: "ended", code: 1, error: { name, message, stack } });
  }
  scope.close();
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
