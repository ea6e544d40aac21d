/** Taking back a step. @module */

import * as tf from "../../dependencies/tfjs.ts";
import { commit, copyOf } from "../methods/parts/inner_method.ts";
import { isOwn, OwnMemory, tensorsIn } from "./variables/own_memory.ts";
import type { State } from "../methods/method.ts";
import { workspace } from "../methods/workspace.ts";
import { Snapshot } from "./variables/snapshot.ts";
import type { Optimizer, Variable } from "./variables/tfjs.ts";

/** What is remembered of the moment before a step. */
interface Held {
  readonly step: number;
  readonly iterations: number;
  readonly inner: Optimizer;
  readonly state: State;
  readonly copy: State;
  /** The weights that are trained, and the inner optimizer's slots. */
  readonly values: Snapshot;
  /** What else an inner optimizer of a user's own remembers. */
  readonly own: OwnMemory | undefined;
  /** How many slots each of the inner optimizer's lists had. */
  readonly lengths: ReadonlyMap<string, number>;
  /** The variables to which forward passes of the step have assigned, as they were before each. */
  readonly forward: readonly Snapshot[];
}

/**
 * What taking back one step needs: the weights and the inner optimizer's slots (their memory is held on to, and none of it
 * copied), the variables that the forward pass writes, and a copy of the method's state.
 */
export class Undo {
  /** Where the copy lies: it is made once and used again at every step. */
  readonly #workspace = workspace();
  #held: Held | undefined;

  /** The number of steps that were taken before the one that can be taken back; undefined if there is none. */
  get step(): number | undefined {
    return this.#held?.step;
  }

  /**
   * Remembers this moment, which is that before a step.
   *
   * @param forward what the forward passes of this step wrote to, as it was before; they are disposed of with the rest
   */
  take(
    step: number,
    inner: Optimizer,
    variables: readonly Variable[],
    state: State,
    forward: readonly Snapshot[],
  ): void {
    this.drop();
    const slots = slotsByName(inner).map(([, variable]) => variable);
    const lengths = new Map(listsOf(inner).map(([property, list]) => [property, list.length]));
    const values = new Snapshot([...variables, ...slots]);
    const copy = copyOf(state, this.#workspace, "state");
    const own = isOwn(inner) ? new OwnMemory(inner) : undefined;
    this.#held = { step, iterations: inner.iterations, inner, state, copy, values, own, lengths, forward };
  }

  /** Puts back what was remembered. Returns the number of steps that had been taken then. */
  back(): number {
    const { step, iterations, inner, state, copy, values, own, lengths, forward } = this.#held!;
    values.restore();
    own?.restore();
    for (const snapshot of forward.toReversed()) snapshot.restore();
    commit(copy, state);
    const fields = inner as unknown as Record<string, unknown>;
    for (const [property, list] of listsOf(inner)) {
      // What the step itself has added: an optimizer makes its slots in its first step.
      for (const entry of list.splice(lengths.get(property) ?? 0)) entry?.variable.dispose();
    }
    fields["iterations_"] = iterations;
    this.drop();
    return step;
  }

  /** Whether these snapshots of what the forward passes wrote are its own to dispose of. */
  holds(forward: readonly Snapshot[]): boolean {
    return this.#held?.forward === forward;
  }

  /** Forgets it. */
  drop(): void {
    this.#held?.values[Symbol.dispose]();
    this.#held?.own?.[Symbol.dispose]();
    for (const snapshot of this.#held?.forward ?? []) snapshot[Symbol.dispose]();
    this.#held = undefined;
  }
}

type Entry = { readonly variable: Variable } | undefined;

/**
 * The variables that an optimizer keeps, by the field's name and, where the field is a list or holds several in another
 * way, the place in it.
 */
export function slotsByName(optimizer: Optimizer): [name: string, variable: Variable][] {
  const single = Object.entries(optimizer).filter(([, value]) => value instanceof tf.Variable) as [string, Variable][];
  const lists = listsOf(optimizer), listed = new Set<unknown>(lists.map(([, list]) => list));
  const named = lists.flatMap(([property, list]) =>
    list.flatMap((entry, i): [string, Variable][] => entry ? [[`${property}.${i}`, entry.variable]] : [])
  );
  if (!isOwn(optimizer)) return [...single, ...named];
  // Numbered, for a key may be a variable's name, which differs by rank.
  const others = Object.entries(optimizer).flatMap(([property, value]) => {
    if (value instanceof tf.Tensor || listed.has(value)) return [];
    const variables = tensorsIn(value).filter((tensor): tensor is Variable => tensor instanceof tf.Variable);
    return variables.map((variable, i): [string, Variable] => [`${property}.${i}`, variable]);
  });
  return [...single, ...named, ...others];
}

function listsOf(optimizer: Optimizer): [property: string, list: Entry[]][] {
  return Object.entries(optimizer).filter(([, value]) =>
    Array.isArray(value) && value.every((entry) => !entry || entry.variable instanceof tf.Variable)
  );
}
