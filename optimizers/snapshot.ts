import { keep } from "@tensorflow/tfjs";
import type { Tensor, Variable } from "./tfjs.ts";

/**
 * The values of variables at one moment. It holds on to their memory and copies none: tfjs never changes a tensor's
 * numbers in place.
 */
export class Snapshot implements Disposable {
  readonly #variables: readonly Variable[];
  readonly #values: readonly Tensor[];

  /** The values now. */
  constructor(variables: readonly Variable[]) {
    this.#variables = variables;
    this.#values = variables.map((variable) => keep(variable.clone()));
  }

  /** The variables that have been assigned to since. */
  changed(): Variable[] {
    return this.#variables.filter(({ dataId }, i) => dataId !== this.#values[i]!.dataId);
  }

  /** Gives the variables, or those of them that are named, these values again. */
  restore(only: readonly Variable[] = this.#variables): void {
    this.#variables.forEach((variable, i) => {
      if (variable.dataId !== this.#values[i]!.dataId && only.includes(variable)) variable.assign(this.#values[i]!);
    });
  }

  /** Lets go of the values. */
  [Symbol.dispose](): void {
    for (const value of this.#values) value.dispose();
  }
}
