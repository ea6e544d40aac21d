/** A method at work: its variables as one vector, its state, and what it makes of them. @module */

import type { GradientOracle } from "../../transport/round.ts";
import type { Options } from "./arguments.ts";
import type { Bucket } from "./variables/bucket.ts";
import { notFinite } from "../methods/parts/finite_state.ts";
import { GradientElsewhere } from "./gradient_elsewhere.ts";
import type { Group } from "./agreement/group.ts";
import type { Context, State } from "../methods/method.ts";
import { context } from "../methods/context.ts";
import { workspace } from "../methods/workspace.ts";
import type { NamedTensorMap, Optimizer, Variable } from "./variables/tfjs.ts";
import { replace, subtract, variable } from "./variables/variables.ts";
import type { Objection } from "./agreement/vote.ts";

/** A method and what it works on. Before the first step it has neither variables nor a state. */
export class MethodAtWork {
  /** The variables as one vector. */
  bucket: Bucket | undefined;
  /** What the method remembers. */
  state: State | undefined;
  /** Gradients at other points. */
  readonly elsewhere: GradientElsewhere;
  readonly #inner: Optimizer;
  readonly #options: Options;
  readonly #workspace = workspace();
  #parameters: Float32Array | undefined;

  /** The method of these options, under an inner optimizer. */
  constructor(inner: Optimizer, options: Options) {
    this.#inner = inner;
    this.#options = options;
    this.elsewhere = new GradientElsewhere(inner, options.method.name, options.dataLoss);
  }

  /** The variables that are trained. */
  get variables(): readonly Variable[] {
    return this.bucket!.layout.names.map(variable);
  }

  /** What the method is told of a step. */
  context(step: number, { rank, size }: Group, early: boolean): Context {
    const { learningRate } = this.#inner as { readonly learningRate?: number }, { seed } = this.#options;
    const { layout } = this.bucket!;
    const made = context({ seed, step, rank, size, early, layout, workspace: this.#workspace, learningRate });
    // Read only if the method asks, and once per step.
    let parameters: Float32Array | undefined;
    const get = () => parameters ??= this.#readParameters();
    return Object.defineProperty(made, "parameters", { enumerable: true, get });
  }

  #readParameters(): Float32Array {
    const { bucket, variables } = this, { size } = bucket!.layout;
    if (this.#parameters?.length !== size) this.#parameters = new Float32Array(size);
    return bucket!.gather(variables, this.#parameters);
  }

  /** into := this rank's gradient at the point `at`, on the batch of the step under way, or zeros where that fails. */
  readonly gradientAt: GradientOracle = (at, into, of = "batch") => this.elsewhere.evaluate(this.bucket!, at, into, of);

  /** Has the result applied. What no rank has a gradient for, and no method delivers, is left alone as by tfjs. */
  write(present: readonly boolean[]): void {
    const bucket = this.bucket!, { yields } = this.#options.method;
    const agreed = bucket.layout.names.map((name, i) => ({
      name,
      tensor: yields === "parameters" || present[i] || !bucket.isZero(i) ? bucket.tensor(i) : undefined,
    }));
    try {
      if (yields === "step") subtract(agreed);
      else if (yields === "parameters") replace(agreed);
      else this.#inner.applyGradients(agreed as unknown as NamedTensorMap);
    } finally {
      for (const { tensor } of agreed) tensor?.dispose();
    }
  }

  /** What is not finite in what came of the exchange. */
  finds(): Objection | undefined {
    const bucket = this.bucket!, i = bucket.firstNonFinite(), { name, yields = "gradient" } = this.#options.method;
    if (i >= 0) return { kind: "found", what: `the ${yields} of variable ${i} (${bucket.layout.names[i]}) by ${name}` };
    const vector = notFinite(this.state!);
    return vector === undefined ? undefined : { kind: "found", what: `${vector}, which ${name} keeps,` };
  }

  /** What of this rank's own is not finite where its method refused to go on; undefined if that had another reason. */
  bringsNonFinite(): string | undefined {
    const bucket = this.bucket!, i = bucket.firstNonFinite();
    if (i < 0) return undefined;
    return `what ${this.#options.method.name} makes of the gradient of variable ${i} (${bucket.layout.names[i]})`;
  }
}
