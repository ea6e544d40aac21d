/** What must be equal on all ranks for their replicas to stay equal. @module */

import { dataKey, shardedOver } from "./agreement/sharded.ts";
import type { Options } from "./arguments.ts";
import type { OptimizerState } from "./optimizer_state.ts";
import { layoutDigest } from "./variables/bucket.ts";
import { readSlots, slotsDigest } from "./variables/slots.ts";
import type { Optimizer, Variable } from "./variables/tfjs.ts";
import { otherType, unnumbered } from "./variables/variables.ts";

/** Facts by the names that a message uses for them. */
type Facts = Readonly<Record<string, unknown>>;

/** How far an optimizer is when its ranks begin. */
interface Progress {
  /** How many steps were taken. */
  readonly step: number;
  /** The number of the optimizer among those over its group. */
  readonly ordinal: number;
  /** The group. */
  readonly group: object;
  /** The contents of the checkpoint that was restored, if there was one. */
  readonly restored: OptimizerState | undefined;
  /** Why this rank cannot go on from the checkpoint; undefined if it can. */
  readonly refused: Error | undefined;
}

/** What the ranks compare before the first step. */
export function firstFacts(
  variables: readonly Variable[],
  inner: Optimizer,
  { method: { name, options, yields = "gradient" }, seed, nonFinite, verify, dataLoss }: Options,
  { step, ordinal, group, restored, refused }: Progress,
): Facts {
  const slots = readSlots(inner), { layout, digests } = restored ?? {};
  return {
    // As text, so that a message tells a difference as two whole shapes.
    variables: variables.map((variable) => `${otherType(variable)}[${variable.shape.join(", ")}]`),
    // If a rank listed variables of one shape in another order, their gradients would be averaged with one another.
    "variables' names": variables.map(({ name }) => unnumbered(name)),
    step,
    seed,
    method: { name, options, yields },
    nonFinite,
    verify,
    dataLoss: dataLoss === undefined ? "not given" : "given",
    optimizer: `number ${ordinal} of this group`,
    inner: { className: slots.className, config: slots.config },
    [dataKey]: shardedOver(group),
    restored: refused !== undefined ? refused.message : layout === undefined ? "nothing" : {
      layout: layoutDigest(layout),
      step,
      "values (digest)": digests?.common,
      ...yields !== "parameters" && { "weights (digest)": digests?.weights },
    },
    "slots (digest)": slotsDigest(slots),
  };
}

/** What the ranks compare in each step. */
export function stepFacts(inner: Optimizer, group: object): Facts {
  const { learningRate, ...config } = inner.getConfig() as Record<string, unknown>;
  return {
    "learning rate": (inner as { readonly learningRate?: number }).learningRate ?? learningRate,
    "the inner optimizer": { ...config, iterations: inner.iterations },
    [dataKey]: shardedOver(group),
  };
}

/** What the ranks compare before they go on in a new group. */
export function rejoinFacts(
  inner: Optimizer,
  { method: { name, options }, seed, nonFinite }: Options,
  ordinal: number,
): Facts {
  return {
    seed,
    method: { name, options },
    nonFinite,
    inner: inner.getClassName(),
    optimizer: `number ${ordinal} of this group`,
  };
}

/** What the ranks compare of their variables in a new group, unless they begin anew. */
export function shapeFacts(shapes: readonly (readonly number[])[] | undefined): Facts {
  return { variables: shapes?.map((shape) => `[${shape.join(", ")}]`) ?? "none yet: no step was begun" };
}
