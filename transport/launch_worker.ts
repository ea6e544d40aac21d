/**
 * What a worker that the launcher started does: learns its place, wraps the console, runs the script, reports its end.
 *
 * @module
 */

import { type FromRank, type Place, settle } from "./place.ts";

interface Start {
  readonly script: string;
  readonly prefix: boolean;
  readonly place: Place;
}

const scope = globalThis as unknown as {
  postMessage(message: FromRank): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Start>) => void, options: { once: true }): void;
  close(): void;
};

scope.addEventListener("message", ({ data: { script, prefix, place } }) => void run(script, prefix, place), {
  once: true,
});

async function run(script: string, prefix: boolean, place: Place): Promise<void> {
  settle(place);
  if (prefix) prefixConsole(`[${place.rank}] `);
  const { exit } = Deno;
  Deno.exit = (code = Deno.exitCode) => {
    scope.postMessage({ gradwire: "end", code });
    return exit(code);
  };
  try {
    await import(script);
    scope.postMessage({ gradwire: "end", code: Deno.exitCode });
    globalThis.dispatchEvent(new Event("unload")); // groups that are still open tell their peers
  } catch (error) {
    globalThis.dispatchEvent(new ErrorEvent("error", { error }));
    scope.postMessage({ gradwire: "end", code: 1, error });
  }
  scope.close();
}

/** Begins every line that goes through the console with `prefix`. */
function prefixConsole(prefix: string): void {
  for (const method of ["log", "info", "debug", "warn", "error"] as const) {
    const print = console[method].bind(console);
    console[method] = (...values: unknown[]) => {
      const text = values.length === 1 && typeof values[0] === "string"
        ? values[0]
        : values.map((value) => typeof value === "string" ? value : Deno.inspect(value)).join(" ");
      print("%s", prefix + text.replaceAll("\n", `\n${prefix}`));
    };
  }
}
