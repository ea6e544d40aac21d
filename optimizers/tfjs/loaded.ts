/** The optimizer of a loaded model, which was saved without its group. @module */

import * as tf from "../../dependencies/tfjs.ts";
import { placeFrom } from "../../transport/environment.ts";
import { place } from "../../transport/place.ts";
import type { Optimizer } from "./variables/tfjs.ts";

/** What a saved model remembers of an optimizer. */
type Config = ReturnType<Optimizer["getConfig"]>;

/**
 * Makes the inner optimizer that a saved model remembers.
 *
 * @throws {Error} if tfjs does not know its class
 */
export function loadInner(config: Config): Optimizer {
  const { className, config: options } = config["inner"] as { className: string; config: Config };
  const known = tf.serialization.SerializationMap.getMap().classNameMap[className];
  if (!known) {
    throw new Error(`Cannot load a DistributedOptimizer: tfjs does not know its inner class ${className}`);
  }
  const [innerClass, make] = known;
  return make(innerClass, options) as Optimizer;
}

/** @throws {Error} if a launcher has started several ranks: a loaded optimizer would train on each of them alone */
export function requireOneLaunched(): void {
  const launched = launchedSize();
  if (launched === 1) return;
  throw new Error(
    `Cannot train a loaded model on ${launched} ranks: its optimizer was saved without its group, and every rank would ` +
      "train on its own. Compile the model again, with new DistributedOptimizer(inner, { method, group }) over the " +
      "group, or with inner itself if this rank alone is to train it",
  );
}

/**
 * How many ranks a launcher has started (this library's, torchrun or Slurm), whether this one has connected or not; 1
 * where no launcher has, or where the environment may not be read. No permission is asked for.
 */
function launchedSize(): number {
  const told = place();
  if (told) return told.size;
  try {
    return placeFrom(environment)?.size ?? 1;
  } catch {
    return 1; // connect() says what is wrong with the environment
  }
}

/** The environment variables of Deno and Node, declared here because the library is checked for pages too. */
interface Engine {
  readonly Deno?: {
    readonly env: { get(name: string): string | undefined };
    readonly permissions: { querySync(query: { name: "env"; variable: string }): { readonly state: string } };
  };
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

function environment(name: string): string | undefined {
  const { Deno: deno, process } = globalThis as Engine;
  if (!deno) return process?.env?.[name];
  const { state } = deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? deno.env.get(name) : undefined;
}
