/** A restored checkpoint, from when it is given until a step has compared it among the ranks. @module */

import type { Layout, Method, State } from "../methods/method.ts";
import type { Begun } from "./agreement/rejoin.ts";
import { checkLayout, checkVectors, type OptimizerState } from "./optimizer_state.ts";
import type { Bucket } from "./variables/bucket.ts";
import { checkSlots, writeSlots } from "./variables/slots.ts";
import { Snapshot } from "./variables/snapshot.ts";
import type { Optimizer, Variable } from "./variables/tfjs.ts";

/** What a replica held before a checkpoint was restored. */
interface Before {
  /** The contents of a checkpoint of that moment: the step and the slots count, and the vectors are the live ones. */
  readonly contents: OptimizerState;
  /** The method's state, where there was one. */
  readonly state: State | undefined;
  /** The bucket, where the variables were known. */
  readonly bucket: Bucket | undefined;
  /** The checkpoint that had been restored before and not been confirmed, if there was one. */
  readonly restored: OptimizerState | undefined;
}

/** Holds the contents of a checkpoint until the next step, and what was there before. */
export class Restoring {
  /** The contents of the checkpoint; undefined if none was restored, or once a step has confirmed it. */
  contents: OptimizerState | undefined;
  /** Whether the ranks have begun. */
  begun: Begun = "no";
  #before: (Before & { readonly begun: Begun }) | undefined;
  /** The variables that were given other values together with the checkpoint. */
  readonly #snapshots: Snapshot[] = [];

  /** Notes a checkpoint that takes the place of `before`; `variables` are about to be given other values. */
  begin(contents: OptimizerState, before: Before, variables: readonly Variable[]): void {
    this.#before ??= { ...before, begun: this.begun };
    this.begun = "no";
    this.#snapshots.push(new Snapshot(variables));
    this.contents = contents;
  }

  /** All ranks are known to have begun: neither the checkpoint nor what was before it is needed any more. */
  confirm(): void {
    this.begun = "all";
    for (const snapshot of this.#snapshots.splice(0)) snapshot[Symbol.dispose]();
    this.#before = this.contents = undefined;
  }

  /**
   * Takes back a checkpoint that a step refuses: variables and slots are again as they were before it.
   *
   * @returns what else there was before; undefined if no checkpoint was restored
   */
  takeBack(inner: Optimizer): Before | undefined {
    const before = this.#before;
    if (before === undefined) return undefined;
    for (const snapshot of this.#snapshots.toReversed()) snapshot.restore();
    writeSlots(inner, before.contents.inner);
    this.confirm();
    this.contents = before.restored;
    this.begun = before.begun;
    return before;
  }

  /** Whether a restored checkpoint, or a state that took part in a step, has vectors of this rank's own. */
  keeps(state: State | undefined): boolean {
    const { local, shared } = this.contents ?? { local: this.begun === "all" ? state?.local : {}, shared: {} };
    return [local, shared].some((vectors) => Object.values(vectors ?? {}).some(({ length }) => length > 0));
  }

  /**
   * The method's state before its first step.
   *
   * @throws {Error} if a restored checkpoint does not go with these variables
   */
  prepare(layout: Layout, method: Method, size: number, inner: Optimizer): State {
    const restored = this.contents, state = method.init(layout, size);
    if (restored === undefined) return state;
    if (restored.layout) checkLayout(restored.layout, layout), checkVectors(restored, state);
    checkSlots(inner, restored.inner, layout.shapes);
    return state;
  }
}
