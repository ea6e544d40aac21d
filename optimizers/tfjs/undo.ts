/** Taking back a step. @module */

import type { State } from "../methods/method.ts";
import { commit, copyOf } from "../methods/parts/inner_method.ts";
import { workspace } from "../methods/workspace.ts";
import { isOwn, OwnMemory } from "./variables/own_memory.ts";
import { slotLists, slotsByName } from "./variables/slots.ts";
import { Snapshot } from "./variables/snapshot.ts";
import type { Optimizer, Variable } from "./variables/tfjs.ts";

/** The moment before a step. */
interface Moment {
  /** How many steps had been taken. */
  readonly step: number;
  /** How many steps the inner optimizer had taken. */
  readonly iterations: number;
  readonly inner: Optimizer;
  /** The method's state, which lives on, and a copy of it. */
  readonly state: State;
  readonly copy: State;
  /** The trained weights and the inner optimizer's slots. */
  readonly values: Snapshot;
  /** What an inner optimizer whose class a user wrote remembers beside its slots. */
  readonly own: OwnMemory | undefined;
  /** How many slots each of the inner optimizer's lists had. */
  readonly lengths: ReadonlyMap<string, number>;
  /** The variables that forward passes of the step have assigned to, with the values that they had before each pass. */
  readonly forward: readonly Snapshot[];
}

/**
 * Remembers the moment before a step: weights, slots and the variables that forward passes assign to as snapshots,
 * which copy nothing, and a copy of the method's state.
 */
export class Undo {
  /** Where the state is copied to: made at the first step, and used again in every step. */
  readonly #workspace = workspace();
  #moment: Moment | undefined;

  /** The number of steps that had been taken before the one that can be taken back; undefined if none can. */
  get step(): number | undefined {
    return this.#moment?.step;
  }

  /**
   * Remembers this moment, just before a step, in place of the one remembered until now.
   *
   * @param forward what forward passes of this step have assigned to; from now on this object disposes of the snapshots
   */
  remember(
    step: number,
    inner: Optimizer,
    variables: readonly Variable[],
    state: State,
    forward: readonly Snapshot[],
  ): void {
    this.drop();
    const slots = slotsByName(inner).map(([, variable]) => variable);
    const lengths = new Map(slotLists(inner).map(([property, list]) => [property, list.length]));
    const values = new Snapshot([...variables, ...slots]);
    const copy = copyOf(state, this.#workspace, "state");
    const own = isOwn(inner) ? new OwnMemory(inner) : undefined;
    this.#moment = { step, iterations: inner.iterations, inner, state, copy, values, own, lengths, forward };
  }

  /** Goes back to the moment remembered. Returns the number of steps that had been taken then. */
  back(): number {
    const { step, iterations, inner, state, copy, values, own, lengths, forward } = this.#moment!;
    values.restore();
    own?.restore();
    for (const snapshot of forward.toReversed()) snapshot.restore();
    commit(copy, state);
    const fields = inner as unknown as Record<string, unknown>;
    for (const [property, list] of slotLists(inner)) {
      // The slots that the step itself has added: an optimizer makes its slots in its first step.
      for (const entry of list.splice(lengths.get(property) ?? 0)) entry?.variable.dispose();
    }
    fields["iterations_"] = iterations;
    this.drop();
    return step;
  }

  /** Forgets the moment. */
  drop(): void {
    this.#moment?.values[Symbol.dispose]();
    this.#moment?.own?.[Symbol.dispose]();
    for (const snapshot of this.#moment?.forward ?? []) snapshot[Symbol.dispose]();
    this.#moment = undefined;
  }
}
