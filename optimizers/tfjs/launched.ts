/** How many ranks this process or worker was started with, whether it has connected or not. @module */

import { placeFrom } from "../../transport/environment.ts";
import { place } from "../../transport/place.ts";

/**
 * How many ranks the launcher (ours, torchrun, Slurm) has started; 1 where none has, or where the environment may not be
 * read. It asks for no permission.
 */
export function launchedSize(): number {
  const told = place();
  if (told) return told.size;
  try {
    return placeFrom(variable)?.size ?? 1;
  } catch {
    return 1; // connect() says what is wrong with the environment
  }
}

/** What of a server-side engine says what a variable holds. Declared here, because the library is checked for pages too. */
interface Engine {
  readonly Deno?: {
    readonly env: { get(name: string): string | undefined };
    readonly permissions: { querySync(query: { name: "env"; variable: string }): { readonly state: string } };
  };
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

function variable(name: string): string | undefined {
  const { Deno: deno, process } = globalThis as Engine;
  if (!deno) return process?.env?.[name];
  const { state } = deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? deno.env.get(name) : undefined;
}
