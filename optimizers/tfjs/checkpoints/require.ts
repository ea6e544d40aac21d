/** Checks of the arguments that functions about checkpoints take. @module */

import { show } from "../../../options.ts";
import { type Group, requireGroup } from "../agreement/group.ts";

/**
 * @param doing what cannot be done, for the message; empty where the caller's caller says it
 * @throws {TypeError} unless it is a DistributedOptimizer
 */
export function requireOptimizer(doing: string, optimizer: unknown): void {
  const { checkState, applyGradients } = Object(optimizer) as Record<string, unknown>;
  // By a method of its own: for tfjs's optimizers, `instanceof` is true of whatever has their methods.
  if (typeof checkState === "function") return;
  const around = typeof applyGradients === "function" ? ": the one that wraps it" : "";
  const why = `optimizer is ${show(optimizer)}, expected a DistributedOptimizer${around}`;
  throw new TypeError(doing === "" ? why : `Cannot ${doing}: ${why}`);
}

/** @throws {TypeError} unless the folder is a path. Options are often given in its place, and the message says so */
export function requirePath(doing: string, call: string, folder: unknown): asserts folder is string | URL {
  if (typeof folder === "string" || folder instanceof URL) return;
  throw new TypeError(
    `Cannot ${doing}: the folder is ${
      show(folder)
    }, expected its path, as in ${call}("checkpoints", { group, optimizer, weights })`,
  );
}

/**
 * @throws {TypeError} unless the options have a group: without it the other ranks cannot be told of any other mistake
 */
export function checkGroup<O extends { readonly group: Group }>(doing: string, options: O): O {
  if (typeof options !== "object" || options === null || "perform" in options) {
    const given = typeof options === "object" && options !== null ? "a group" : show(options);
    throw new TypeError(`Cannot ${doing}: the options are ${given}, expected { group, optimizer, weights }`);
  }
  requireGroup(doing, options.group);
  return options;
}
