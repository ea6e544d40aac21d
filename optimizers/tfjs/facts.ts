/** What must be equal on all ranks for their replicas to stay equal. @module */

import type { Options } from "./arguments.ts";
import { layoutDigest } from "./variables/bucket.ts";
import { dataKey, sharedOut } from "./agreement/sharded.ts";
import { readSlots, slotsDigest } from "./variables/slots.ts";
import { type OptimizerState, unnumbered } from "./optimizer_state.ts";
import type { Optimizer, Variable } from "./variables/tfjs.ts";
import { otherType } from "./variables/variables.ts";

/** Where a training stands. */
export interface Standing {
  /** Steps taken. */
  readonly step: number;
  /** Which of the group's optimizers it is. */
  readonly ordinal: number;
  /** The group. */
  readonly group: object;
}

/** What the ranks compare before the first step; `refused` is why this rank cannot go on from what it restored. */
export function firstFacts(
  variables: readonly Variable[],
  inner: Optimizer,
  { method: { name, options, yields = "gradient" }, seed, nonFinite, verify, dataLoss }: Options,
  { step, ordinal, group }: Standing,
  restored: OptimizerState | undefined,
  refused: Error | undefined,
): Readonly<Record<string, unknown>> {
  const slots = readSlots(inner), { layout, digests } = restored ?? {};
  return {
    // As text, so that a difference is told as two whole shapes.
    variables: variables.map((variable) => `${otherType(variable)}[${variable.shape.join(", ")}]`),
    // Variables of one shape may be listed in another order: their gradients would be averaged with one another's.
    "variables' names": variables.map(({ name }) => unnumbered(name)),
    step,
    seed,
    method: { name, options, yields },
    nonFinite,
    verify,
    dataLoss: dataLoss === undefined ? "not given" : "given",
    optimizer: `number ${ordinal} of this group`,
    inner: { className: slots.className, config: slots.config },
    [dataKey]: sharedOut(group),
    restored: refused !== undefined ? refused.message : layout === undefined ? "nothing" : {
      layout: layoutDigest(layout),
      step,
      "values (digest)": digests?.common,
      ...yields !== "parameters" && { "weights (digest)": digests?.weights },
    },
    "slots (digest)": slotsDigest(slots),
  };
}

/** What the ranks compare in each step, by the names that a message uses. */
export function stepFacts(inner: Optimizer, group: object): Readonly<Record<string, unknown>> {
  const { learningRate, ...config } = inner.getConfig() as Record<string, unknown>;
  return {
    "learning rate": (inner as { readonly learningRate?: number }).learningRate ?? learningRate,
    "the inner optimizer": { ...config, iterations: inner.iterations },
    [dataKey]: sharedOut(group),
  };
}

/** What the ranks compare before they go on in a new group. */
export function rejoinFacts(
  inner: Optimizer,
  { method: { name, options }, seed, nonFinite }: Options,
  ordinal: number,
): Readonly<Record<string, unknown>> {
  return {
    seed,
    method: { name, options },
    nonFinite,
    inner: inner.getClassName(),
    optimizer: `number ${ordinal} of this group`,
  };
}

/** What they compare then of the variables, unless they begin anew. */
export function shapeFacts(shapes: readonly (readonly number[])[] | undefined): Readonly<Record<string, unknown>> {
  return { variables: shapes?.map((shape) => `[${shape.join(", ")}]`) ?? "none yet: no step was begun" };
}
