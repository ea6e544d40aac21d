/**
 * Launches the workers of a script from the script's own project.
 *
 * Workers share the import map of their process, and Deno takes that from the folder of the module which it was started with.
 * Where a script belongs to another project, one with a deno.json or package.json of its own, its workers are therefore
 * launched from a process that Deno starts for the script.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { ownFlags } from "./flags.ts";
import type { LaunchOptions } from "./start_ranks.ts";
import { scriptUrl } from "./addresses.ts";
import { startReaper } from "./reaper.ts";

/** Launches the script from a process of its own, if it needs one, and returns the exit code; undefined if it needs none. */
export async function inItsProject(options: LaunchOptions, args: readonly string[]): Promise<number | undefined> {
  const script = scriptUrl(options.script);
  if (options.processes || script.protocol !== "file:" || Deno.build.standalone) return undefined;
  const flags = await ownFlags();
  // With these flags Deno was told the project, and looks for no other.
  if (flags.some((flag) => /^(-c|--config|--no-config)(=|$)/.test(flag))) return undefined;
  const theirs = projectOf(dirname(fileURLToPath(script)));
  const own = ownFolder();
  if (theirs === undefined || (own !== undefined && theirs === projectOf(own))) return undefined;
  if (Deno.permissions.querySync({ name: "run", command: Deno.execPath() }).state !== "granted") {
    if (own === undefined) return undefined; // This process may well belong to the script's project, as packages do.
    throw new Error(
      `Cannot launch workers: ${
        fileURLToPath(script)
      } belongs to the project in ${theirs}, which this process does not; ` +
        "run with --allow-run, or with --config and that project's deno.json",
    );
  }
  await using reaper = startReaper();
  const host = `${import.meta.resolve("./project_host.ts")}?${encodeURIComponent(JSON.stringify([Deno.pid, ...args]))}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, `--preload=${host}`, script.href, ...options.args ?? []],
  }).spawn();
  using _ = passOn(child);
  await reaper.watch(child.pid);
  const { code } = await child.status;
  reaper.forget(child.pid);
  return code;
}

/** The folder where Deno began to look for the project of this process, if the process was started with a file. */
function ownFolder(): string | undefined {
  try {
    return dirname(fileURLToPath(Deno.mainModule));
  } catch {
    return undefined;
  }
}

/** The nearest folder, from this one upwards, that holds a deno.json or package.json, if this process may look. */
function projectOf(folder: string): string | undefined {
  for (;; folder = dirname(folder)) {
    if (["deno.json", "deno.jsonc", "package.json"].some((name) => isFile(join(folder, name)))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

function isFile(path: string): boolean {
  try {
    return Deno.permissions.querySync({ name: "read", path }).state === "granted" && Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Passes signals on to the child, which they end, and this process after it. */
function passOn(child: Deno.ChildProcess): Disposable {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
  const removals = signals.map((signal) => {
    const listener = () => {
      try {
        child.kill(signal);
      } catch {
        // It has ended by itself.
      }
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return { [Symbol.dispose]: () => removals.forEach((remove) => remove()) };
}
