/** A restored state, from when it is given until a step has compared it among the ranks. @module */

import type { Bucket } from "./variables/bucket.ts";
import type { Layout, Method, State } from "../methods/method.ts";
import type { Begun } from "./agreement/rejoin.ts";
import { checkSlots, writeSlots } from "./variables/slots.ts";
import { Snapshot } from "./variables/snapshot.ts";
import { checkLayout, checkVectors, type OptimizerState } from "./optimizer_state.ts";
import type { Optimizer, Variable } from "./variables/tfjs.ts";

/** What a restored state has taken the place of. */
export interface Before {
  /** The optimizer's state, its step and slots included. */
  readonly state: OptimizerState;
  /** The method's live state, where there was one. */
  readonly memory: State | undefined;
  /** Its variables, where they were known. */
  readonly bucket: Bucket | undefined;
  /** What had been restored before and not been confirmed. */
  readonly restored: OptimizerState | undefined;
}

/** What the checkpoint said of a step not yet taken, and what was there before. */
export class Restoring {
  /** The restored state; undefined once a step has confirmed it. */
  state: OptimizerState | undefined;
  /** How far this rank is with what comes before the first step. */
  begun: Begun = "no";
  #before: (Before & { readonly begun: Begun }) | undefined;
  /** The variables that were given other values together with the restored state. */
  readonly #snapshots: Snapshot[] = [];

  /** A state is restored in the place of `before`; `variables` are about to be given other values. */
  begin(state: OptimizerState, before: Before, variables: readonly Variable[]): void {
    this.#before ??= { ...before, begun: this.begun };
    this.begun = "no";
    this.#snapshots.push(new Snapshot(variables));
    this.state = state;
  }

  /**
   * All ranks are known to have begun: none begins again, so that neither what was restored is needed any longer nor what
   * was before it.
   */
  confirm(): void {
    this.begun = "all";
    for (const snapshot of this.#snapshots.splice(0)) snapshot[Symbol.dispose]();
    this.#before = this.state = undefined;
  }

  /** A step has refused it: variables and slots are again as they were. Returns what else was there, if anything was. */
  takeBack(inner: Optimizer): Before | undefined {
    const before = this.#before;
    if (before === undefined) return undefined;
    for (const snapshot of this.#snapshots.toReversed()) snapshot.restore();
    writeSlots(inner, before.state.inner);
    this.confirm();
    this.state = before.restored;
    this.begun = before.begun;
    return before;
  }

  /** Whether the method keeps something that belongs to this rank's place: of what steps were taken from, or is restored. */
  keeps(memory: State | undefined): boolean {
    const { local, shared } = this.state ?? { local: this.begun === "all" ? memory?.local : {}, shared: {} };
    return [local, shared].some((vectors) => Object.values(vectors ?? {}).some(({ length }) => length > 0));
  }

  /** The method's state before its first step here. Throws an Error unless the restored one goes with these variables. */
  prepare(layout: Layout, method: Method, size: number, inner: Optimizer): State {
    const restored = this.state, state = method.init(layout, size);
    if (restored === undefined) return state;
    if (restored.layout) checkLayout(restored.layout, layout), checkVectors(restored, state);
    checkSlots(inner, restored.inner, layout.shapes);
    return state;
  }
}
