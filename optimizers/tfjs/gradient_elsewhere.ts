/** The gradient at another point than the model's weights, for methods that ask for it in the middle of a step. @module */

import * as tf from "../../dependencies/tfjs.ts";
import type { GradientPart } from "../../transport/round.ts";
import type { Bucket } from "./variables/bucket.ts";
import { forwardPass } from "./variables/forward_pass.ts";
import { Snapshot } from "./variables/snapshot.ts";
import type { Optimizer, Scalar, Tensor, Variable } from "./variables/tfjs.ts";
import { variable } from "./variables/variables.ts";
import type { Objection } from "./agreement/vote.ts";

/** The loss of the step under way and its variables. */
export interface Loss {
  /** Evaluates the loss on the step's batch. */
  readonly f: () => Scalar;
  /** What it is differentiated by; undefined: all variables that are trained. */
  readonly variables: readonly Variable[] | undefined;
}

/**
 * Evaluates gradients at other points. What goes wrong is remembered and zeros take the gradient's place, so that the
 * exchange comes to its end and the ranks vote on the step: an error thrown here would leave the others waiting.
 */
export class GradientElsewhere {
  /** The loss of the step under way; undefined in `applyGradients`, which knows none. */
  loss: Loss | undefined;
  /** What went wrong in the step under way. */
  objection: Objection | undefined;
  /** The error behind it, if there was one. */
  error: unknown;
  readonly #inner: Optimizer;
  readonly #method: string;
  readonly #dataLoss: ((term?: number) => Scalar) | undefined;
  /** Metrics that `fit` keeps whenever it evaluates the loss. */
  readonly #leftovers: Tensor[] = [];

  /** For a method of this name under an inner optimizer; `dataLoss` is the loss on all data or on a term of it. */
  constructor(inner: Optimizer, method: string, dataLoss: ((term?: number) => Scalar) | undefined) {
    this.#inner = inner;
    this.#method = method;
    this.#dataLoss = dataLoss;
  }

  /** Before an exchange: nothing has gone wrong. */
  clear(): void {
    this.objection = this.error = undefined;
  }

  /** Disposes of what evaluations have left behind. */
  tidy(): void {
    tf.dispose(this.#leftovers.splice(0));
  }

  /** into := this rank's gradient at the point `at`. The variables have their values again afterwards. */
  evaluate(
    bucket: Bucket,
    at: Float32Array,
    into: Float32Array,
    of: GradientPart,
  ): void {
    try {
      this.#evaluate(bucket, at, into, of);
      const bad = bucket.firstNonFinite(into);
      if (bad < 0) return;
      const what = `the gradient of variable ${bad} (${bucket.layout.names[bad]}) that ${this.#method} asks for`;
      this.objection ??= { kind: "brought", what };
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      if (this.objection === undefined) this.objection = { kind: "failed", what }, this.error = error;
    }
    into.fill(0);
  }

  #evaluate(
    bucket: Bucket,
    at: Float32Array,
    into: Float32Array,
    of: GradientPart,
  ): void {
    const method = this.#method, dataLoss = this.#dataLoss, { loss } = this;
    if (of !== "batch" && dataLoss === undefined) {
      throw new TypeError(
        `Cannot evaluate the gradient that ${method} asks for: it is that of ` +
          `${of === "all" ? "all data" : `term ${of} of the data`}, and a step knows only its batch. Pass dataLoss`,
      );
    }
    if (loss === undefined) {
      throw new TypeError(
        `Cannot evaluate the gradient that ${method} asks for: applyGradients knows no loss. Call minimize`,
      );
    }
    const variables = bucket.layout.names.map(variable);
    using weights = new Snapshot(variables);
    try {
      variables.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i, at))));
      let made: readonly Tensor[] = [];
      const { result: { value, grads }, before } = forwardPass(this.#inner, () =>
        tf.variableGrads(() => {
          const value = of === "batch" ? loss.f() : of === "all" ? dataLoss!() : dataLoss!(of);
          made = tf.engine().state.activeScope.track;
          return value;
        }, loss.variables as Variable[]));
      before.restore();
      before[Symbol.dispose]();
      bucket.gather(variables.map(({ name }) => grads[name]), into);
      tf.dispose([value, grads]);
      this.#leftovers.push(...made.filter(({ kept, isDisposed }) => kept && !isDisposed));
    } finally {
      weights.restore();
    }
  }
}
