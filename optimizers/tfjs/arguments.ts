/** The arguments of DistributedOptimizer. Every likely mistake in them is told what to write instead. @module */

import * as tf from "../../dependencies/tfjs.ts";
import { isCompressor } from "../../compressors/check.ts";
import { checkInteger, isNamed, meant, noOption, show } from "../../options.ts";
import { methodsOver, requireMethod } from "../methods/check_method.ts";
import { describeMethod } from "../methods/describe.ts";
import type { Method } from "../methods/method.ts";
import { type Group, requireGroup } from "./agreement/group.ts";
import type { Scalar } from "./variables/tfjs.ts";
import { isModel } from "./variables/weights.ts";

/** The options of {@linkcode DistributedOptimizer}. */
export interface DistributedOptimizerOptions {
  /** The method by which the ranks agree on a gradient, for instance `average()`. */
  readonly method: Method;
  /** The connected ranks. `fit` needs a blocking group; with one that is awaited, call `minimizeAsync`. */
  readonly group: Group;
  /** The seed of all randomness of the method: a safe integer ≥ 0, equal on all ranks. Default 0. */
  readonly seed?: number;
  /**
   * What all ranks do in a step in which a gradient of any rank, or the result of the exchange, is NaN or infinite.
   * "throw" (the default): all ranks refuse the step. "skip": the step counts as taken and changes nothing, not even
   * BatchNorm's averages. In a step between the exchanges of a method that exchanges every so many steps, the rank
   * leaves its gradient out; with "throw" all ranks throw when they next meet.
   */
  readonly nonFinite?: "throw" | "skip";
  /**
   * Every how many steps the ranks compare digests of the weights, of the inner optimizer's slots and of the state that
   * the method holds alike on all ranks. Where they differ, all ranks refuse the step and name what differs. 0: never.
   * Default 100, which costs less than 1 % of a step of a model with a million parameters. (Learning rates are compared
   * in every step.)
   */
  readonly verify?: number;
  /**
   * The loss on all of this rank's data, or on one term of it: a minibatch, by its number. Variance reduction needs it
   * beside the loss on the step's batch: `vrDiana`, and `marina` with `dense: "all"`. Without it they are refused.
   */
  readonly dataLoss?: (term?: number) => Scalar;
}

/** The options with their defaults. */
export type Options = Required<Omit<DistributedOptimizerOptions, "dataLoss">> & {
  /** The loss on all data or on a term of it, where it was given. */
  readonly dataLoss: DistributedOptimizerOptions["dataLoss"] | undefined;
};

const MAKE = "make a DistributedOptimizer";
const known = ["method", "group", "seed", "nonFinite", "dataLoss", "verify"];

/**
 * Checks the arguments and fills in the defaults.
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

/** What to write instead of an option that does not exist. */
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

/** A value as a message names it: a function by its name. */
function named(value: unknown): string {
  return typeof value === "function" ? `the function ${value.name}`.trimEnd() : show(value);
}

/** A method as one would write it, or "…" if it cannot be described. */
function described(value: unknown): string {
  try {
    return describeMethod(value as { name: string; options: object });
  } catch {
    return "…";
  }
}

/** What to write instead of an inner optimizer that is none. */
function innerWanted(inner: unknown): string {
  if (typeof inner === "string" && Object.keys(tf.train).includes(inner.toLowerCase())) {
    return `expected a tf.Optimizer: tf.train.${inner.toLowerCase()}(…)`;
  }
  const such = "expected a tf.Optimizer such as tf.train.adam()";
  if (typeof inner === "function") return `${such}: call it`;
  if (isModel(inner)) return `${such}; the model's is given to model.compile({ optimizer })`;
  if (typeof inner === "object" && inner !== null && (isNamed(inner) || "method" in inner || "group" in inner)) {
    return `${such}, and the options after it`;
  }
  return such;
}
