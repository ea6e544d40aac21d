/** What a DistributedOptimizer is made from, checked: every likely mistake has its sentence. @module */

import { checkInteger, isNamed, meant, noOption, show } from "../../options.ts";
import { isCompressor } from "../../compressors/call.ts";
import { methodsOver, requireMethod } from "../methods/check_method.ts";
import { describeMethod } from "../methods/describe.ts";
import type { DistributedOptimizerOptions } from "./optimizer.ts";
import { innerWanted, requireGroup } from "./require.ts";

/** A DistributedOptimizer's options with their defaults. */
export type Options = Required<Omit<DistributedOptimizerOptions, "dataLoss">> & {
  /** The loss on all data or on a term of it, where it is given. */
  readonly dataLoss: DistributedOptimizerOptions["dataLoss"] | undefined;
};

const MAKE = "make a DistributedOptimizer";
const known = ["method", "group", "seed", "nonFinite", "dataLoss", "verify"];

/**
 * The options with their defaults.
 *
 * @throws {TypeError} if an argument is not what it should be or an option is unknown
 * @throws {RangeError} if a number is out of range
 */
export function checkArguments(
  inner: unknown,
  options: DistributedOptimizerOptions,
): Options {
  if (typeof (inner as { applyGradients?: unknown })?.applyGradients !== "function") {
    throw refuse(`inner is ${named(inner)}, ${innerWanted(inner)}`);
  }
  if (typeof (inner as { getConfig?: unknown }).getConfig !== "function") {
    throw refuse(
      `inner, ${named(inner)}, has no getConfig, expected one that returns its options: getConfig() { return { … }; }`,
    );
  }
  if (typeof options !== "object" || options === null) {
    throw refuse(`its options are ${named(options)}, expected { method: average(), group: await connect() }`);
  }
  if (typeof (options as { reduce?: unknown }).reduce === "function" && "init" in options) {
    throw refuse(`its options are a method, expected { method: ${described(options)}, group: await connect() }`);
  }
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown !== undefined) throw refuse(noOption(unknown, known, wanted(unknown, options)));
  const { method, group, seed = 0, nonFinite = "throw", dataLoss, verify = 100 } = options;
  requireMethod(MAKE, "method", method);
  requireGroup(MAKE, group);
  if (nonFinite !== "throw" && nonFinite !== "skip") {
    throw refuse(`nonFinite is ${show(nonFinite)}, expected "throw" or "skip"`);
  }
  if (dataLoss !== undefined && typeof dataLoss !== "function") {
    throw refuse(`dataLoss is ${show(dataLoss)}, expected a function that returns the loss`);
  }
  checkInteger(MAKE, "seed", seed, 0), checkInteger(MAKE, "verify", verify, 0);
  return { method, group, seed, nonFinite, dataLoss, verify };
}

/** What to write instead of an option that there is none of. */
function wanted(option: string, options: object): string {
  if (option === "learningRate") return ". The learning rate is the inner optimizer's, as in tf.train.sgd(0.1)";
  const value: unknown = (options as Record<string, unknown>)[option];
  if (isCompressor(value)) return `: was method: ${methodsOver(value)} meant?`;
  if (typeof value === "object" && value !== null && isNamed(value)) return `: was method meant?`;
  return meant(option, known);
}

function refuse(why: string): TypeError {
  return new TypeError(`Cannot ${MAKE}: ${why}`);
}

/** A value as a message names it: of a function, its name. */
function named(value: unknown): string {
  return typeof value === "function" ? `the function ${value.name}`.trimEnd() : show(value);
}

/** A method or a compressor as one would write it; what cannot be described is "…". */
function described(value: unknown): string {
  try {
    return describeMethod(value as { name: string; options: object });
  } catch {
    return "…";
  }
}
