/**
 * The gradient at another point than the model's weights, for methods that ask for it in the middle of a step.
 *
 * @module
 */

import * as tf from "../../dependencies/tfjs.ts";
import type { GradientPart } from "../../transport/round.ts";
import type { Objection } from "./agreement/vote.ts";
import type { Options } from "./arguments.ts";
import type { Loss } from "./loss.ts";
import type { Bucket } from "./variables/bucket.ts";
import { forwardPass } from "./variables/forward_pass.ts";
import { Snapshot } from "./variables/snapshot.ts";
import type { Optimizer, Scalar, Tensor, Variable } from "./variables/tfjs.ts";
import { variable } from "./variables/variables.ts";

/**
 * Evaluates gradients at other points during one step. If an evaluation fails, the objection is remembered and zeros
 * take the gradient's place, so that the exchange comes to its end and the ranks vote on the step. An error thrown in
 * the middle of the exchange would leave the other ranks waiting.
 */
export class GradientElsewhere implements Disposable {
  /** The first thing that went wrong in this step. */
  objection: Objection | undefined;
  /** The error behind the objection, if there was one. */
  error: unknown;
  readonly #inner: Optimizer;
  readonly #options: Options;
  readonly #loss: Loss | undefined;
  /** Tensors that evaluations have kept. They outlive the step, because `fit` reads its metrics among them. */
  readonly #leftovers: Tensor[] = [];

  /** For a step with this loss; undefined in `applyGradients`, which knows none. */
  constructor(inner: Optimizer, options: Options, loss: Loss | undefined) {
    this.#inner = inner;
    this.#options = options;
    this.#loss = loss;
  }

  /** Disposes of the tensors that evaluations have kept. */
  [Symbol.dispose](): void {
    tf.dispose(this.#leftovers.splice(0));
  }

  /**
   * Writes this rank's gradient at the point `at` into `into`, or zeros if that fails. Afterwards the variables, and
   * those that the forward pass has assigned to, have their former values again.
   *
   * @param at values for all variables of the bucket
   * @param of the part of the data whose loss is differentiated
   */
  evaluate(bucket: Bucket, at: Float32Array, into: Float32Array, of: GradientPart): void {
    try {
      this.#evaluate(bucket, at, into, of);
      const bad = bucket.firstNonFinite(into);
      if (bad < 0) return;
      const { name } = this.#options.method;
      const what = `the gradient of variable ${bad} (${bucket.layout.names[bad]}) that ${name} asks for`;
      this.objection ??= { kind: "brought", what };
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      if (this.objection === undefined) this.objection = { kind: "failed", what }, this.error = error;
    }
    into.fill(0);
  }

  #evaluate(bucket: Bucket, at: Float32Array, into: Float32Array, of: GradientPart): void {
    const loss = this.#lossOf(of), variables = bucket.layout.names.map(variable);
    using weights = new Snapshot(variables);
    try {
      variables.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i, at))));
      let made: readonly Tensor[] = [];
      const { result: { value, grads }, before } = forwardPass(this.#inner, () =>
        tf.variableGrads(() => {
          const value = loss();
          made = tf.engine().state.activeScope.track;
          return value;
        }, this.#loss!.variables as Variable[]));
      before.restore();
      before[Symbol.dispose]();
      bucket.gather(variables.map(({ name }) => grads[name]), into);
      tf.dispose([value, grads]);
      this.#leftovers.push(...made.filter(({ kept, isDisposed }) => kept && !isDisposed));
    } finally {
      weights.restore();
    }
  }

  /** The loss on a part of the data. */
  #lossOf(part: GradientPart): () => Scalar {
    const { method: { name }, dataLoss } = this.#options;
    if (part !== "batch" && dataLoss === undefined) {
      throw new TypeError(
        `Cannot evaluate the gradient that ${name} asks for: it is that of ` +
          `${part === "all" ? "all data" : `term ${part} of the data`}, and a step knows only its batch. Pass dataLoss`,
      );
    }
    if (this.#loss === undefined) {
      throw new TypeError(
        `Cannot evaluate the gradient that ${name} asks for: applyGradients knows no loss. Call minimize`,
      );
    }
    return part === "batch" ? this.#loss.f : () => part === "all" ? dataLoss!() : dataLoss!(part);
  }
}
