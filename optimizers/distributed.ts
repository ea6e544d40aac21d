import * as tf from "@tensorflow/tfjs";
import type { BlockingCollective, Collective, GradientOracle } from "../transport/round.ts";
import { broadcast, type Exchange, runAsync, runBlocking } from "../transport/round.ts";
import { Bucket, layoutOf } from "./bucket.ts";
import { type Context, context, type Reducer, type State, type Workspace, workspace } from "./reducer.ts";
import { exchangeStatus } from "./status.ts";

/** A gradient and the name of its variable, as tfjs passes them: the tensor is missing where there is no gradient. */
export interface NamedGradient {
  /** The variable's name in tfjs's registry. */
  readonly name: string;
  /** Its gradient. */
  readonly tensor: tf.Tensor | null | undefined;
}

/** The options of {@linkcode DistributedOptimizer}. */
export interface DistributedOptimizerOptions {
  /** The method by which ranks agree on a gradient, for instance `average()`. */
  readonly reducer: Reducer;
  /** The connected ranks. `fit` needs a blocking group; an awaited one serves `minimizeAsync`. */
  readonly group: BlockingCollective | Collective;
  /** Where all randomness of the reducer comes from; equal on all ranks. Default 0. */
  readonly seed?: number;
  /** What all ranks do in a step in which a gradient of any rank is NaN or infinite. Default "throw". */
  readonly nonFinite?: "throw" | "skip";
}

/** The loss of the step under way and its variables: what the gradient at another point needs. */
interface Loss {
  readonly f: () => tf.Scalar;
  readonly variables: readonly tf.Variable[] | undefined;
}

/**
 * A `tf.Optimizer` whose gradients are agreed on by all ranks before `inner` applies them. Use it where `inner` would
 * be used: in `model.compile` (then `fit`, `fitDataset`, `trainOnBatch`), or by calling `minimize`; where blocking is
 * impossible, call `minimizeAsync`.
 *
 * - Before the first step the ranks take over rank 0's values of the variables that are trained.
 * - A group of one calls `inner` and does nothing else (unless the reducer has its own update).
 * - All ranks must take equally many steps; see `shard`.
 * - If a step fails (a rank is lost, a gradient is not finite), weights, slots and reducer state are as before it.
 *
 * Memory: three times the parameters at most, made at the first step, and what the reducer keeps. Messages per step:
 * 12 bytes and a bit per variable, and the reducer's. `group` remains the caller's to close.
 */
export class DistributedOptimizer extends tf.Optimizer {
  /** The name that saved models know this class by. */
  static readonly className: string = "DistributedOptimizer";

  readonly #inner: tf.Optimizer;
  readonly #reducer: Reducer;
  readonly #group: BlockingCollective | Collective;
  readonly #seed: number;
  readonly #nonFinite: "throw" | "skip";
  readonly #workspace: Workspace = workspace();
  #step = 0;
  #bucket: Bucket | undefined;
  #state: State | undefined;
  #loss: Loss | undefined;
  #parameters: { readonly vector: Float32Array; step: number } | undefined;
  #busy = false;

  /**
   * Wraps `inner`.
   *
   * @throws {TypeError} if an argument is not what it should be or an option is unknown
   * @throws {RangeError} if the seed is not a safe non-negative integer
   */
  constructor(inner: tf.Optimizer, options: DistributedOptimizerOptions) {
    super();
    const { reducer, group, seed = 0, nonFinite = "throw", ...unknown } = options;
    const refuse = (why: string) => new TypeError(`Cannot make a DistributedOptimizer: ${why}`);
    if (typeof inner?.applyGradients !== "function") throw refuse(`inner is ${inner}, expected a tf.Optimizer`);
    if (#inner in inner) throw refuse("inner is one already, expected the optimizer to wrap");
    if (typeof reducer?.reduce !== "function") throw refuse(`reducer is ${reducer}, expected one such as average()`);
    if (typeof group?.perform !== "function") throw refuse(`group is ${group}, expected one such as connect() gives`);
    if (nonFinite !== "throw" && nonFinite !== "skip") {
      throw refuse(`nonFinite is ${JSON.stringify(nonFinite)}, expected "throw" or "skip"`);
    }
    for (const option of Object.keys(unknown)) {
      throw refuse(`there is no option ${option}, expected reducer, group, seed, nonFinite`);
    }
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(
        `Cannot make a DistributedOptimizer: seed is ${seed}, expected a safe non-negative integer`,
      );
    }
    this.#inner = inner;
    this.#reducer = reducer;
    this.#group = group;
    this.#seed = seed;
    this.#nonFinite = nonFinite;
  }

  /** Steps taken, skipped ones included. */
  override get iterations(): number {
    // The base class's constructor does not ask, but its prototype may be inspected.
    return #step in this ? this.#step : 0;
  }

  /**
   * One step: evaluates the loss and its gradients, agrees on them with the other ranks, and updates the variables.
   *
   * @returns the loss on this rank's batch if `returnCost`, else null
   * @throws {TypeError} if the group cannot block
   * @throws {TransportError} if a rank is lost
   * @throws {RangeError} if a gradient of any rank is not finite
   */
  override minimize(f: () => tf.Scalar, returnCost = false, varList?: tf.Variable[]): tf.Scalar | null {
    if (this.#alone) return this.#minimizeAlone(f, returnCost, varList);
    const group = this.#blocking("minimize");
    return this.#enter(() => {
      const value = runBlocking(this.#minimize(f, varList), group, this.#gradientAt);
      return cost(value, returnCost);
    });
  }

  /**
   * `minimize` for groups that are awaited (it takes blocking ones too). Do not call it inside `tf.tidy`, and await one
   * step before the next.
   *
   * @returns the loss on this rank's batch if `returnCost`, else null
   * @throws {TransportError} if a rank is lost
   * @throws {RangeError} if a gradient of any rank is not finite
   */
  async minimizeAsync(f: () => tf.Scalar, returnCost = false, varList?: tf.Variable[]): Promise<tf.Scalar | null> {
    if (this.#alone || isBlocking(this.#group)) return this.minimize(f, returnCost, varList);
    const group = this.#group;
    return await this.#enterAsync(async () => {
      const value = await runAsync(this.#minimize(f, varList), group, this.#gradientAt);
      return cost(value, returnCost);
    });
  }

  /**
   * Agrees on gradients computed elsewhere and has `inner` apply them. Reducers that ask for the gradient at another
   * point need `minimize`.
   */
  override applyGradients(variableGradients: tf.NamedTensorMap | NamedGradient[]): void {
    if (this.#alone) {
      this.#inner.applyGradients(variableGradients as tf.NamedTensorMap);
      this.#step++;
      return;
    }
    const group = this.#blocking("applyGradients");
    this.#enter(() => runBlocking(this.#apply(toList(variableGradients)), group, this.#gradientAt));
  }

  /** A group of one has nothing to agree on; a reducer with its own update must run all the same. */
  get #alone(): boolean {
    return this.#group.size === 1 && (this.#reducer.yields ?? "gradient") === "gradient";
  }

  #minimizeAlone(f: () => tf.Scalar, returnCost: boolean, varList?: tf.Variable[]): tf.Scalar | null {
    const value = this.#inner.minimize(f, returnCost, varList);
    this.#step++;
    return value;
  }

  #blocking(what: string): BlockingCollective {
    const group = this.#group;
    if (isBlocking(group)) return group;
    throw new TypeError(
      `Cannot ${what} with a group that must be awaited: fit, fitDataset, trainOnBatch and minimize block until all ` +
        "have answered. Train in a worker with a blocking group (connect()), or call minimizeAsync",
    );
  }

  /** Runs a step; a second one may not start before it ends. */
  #enter<R>(step: () => R): R {
    this.#start();
    try {
      return step();
    } finally {
      this.#busy = false;
    }
  }

  async #enterAsync<R>(step: () => Promise<R>): Promise<R> {
    this.#start();
    try {
      return await step();
    } finally {
      this.#busy = false;
    }
  }

  #start(): void {
    if (this.#busy) throw new Error("Cannot start a step: the step before has not ended; await minimizeAsync");
    this.#busy = true;
  }

  *#minimize(f: () => tf.Scalar, varList?: readonly tf.Variable[]): Exchange<tf.Scalar> {
    if (this.#bucket === undefined && varList !== undefined) yield* this.#begin(varList);
    let done = false, { value, grads } = tf.variableGrads(f, varList as tf.Variable[]);
    try {
      if (this.#bucket === undefined) {
        // Which variables there are is only known now; the gradients were taken at this rank's own weights.
        yield* this.#begin(toList(grads).map(({ name }) => variable(name)));
        tf.dispose([value, grads]);
        ({ value, grads } = tf.variableGrads(f));
      }
      this.#loss = { f, variables: varList };
      yield* this.#apply(varList?.map(({ name }) => ({ name, tensor: grads[name] })) ?? toList(grads));
      done = true;
      return value;
    } finally {
      this.#loss = undefined;
      tf.dispose(grads);
      if (!done) value.dispose();
    }
  }

  /** Before the first step: all ranks take over rank 0's weights. */
  *#begin(variables: readonly tf.Variable[]): Exchange {
    const bucket = new Bucket(layoutOf(variables));
    const mine = bucket.gather(variables);
    const weights = yield* broadcast(0, new Uint8Array(mine.buffer, mine.byteOffset, mine.byteLength));
    if (this.#group.rank !== 0) {
      // A copy, because on the cpu backend the variables share its memory from now on.
      const copy = new Float32Array(weights.slice().buffer);
      variables.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i, copy))));
    }
    this.#state = this.#reducer.init(bucket.layout, this.#group.size);
    this.#bucket = bucket;
  }

  *#apply(given: readonly NamedGradient[]): Exchange {
    if (this.#bucket === undefined) yield* this.#begin(given.map(({ name }) => variable(name)));
    const bucket = this.#bucket!, { names } = bucket.layout, tensors = inOrder(given, names);
    bucket.gather(tensors);
    const present = yield* this.#agree(tensors.map((tensor) => tensor !== null && tensor !== undefined));
    if (present !== undefined) {
      yield* this.#reducer.reduce(bucket.vector, this.#state!, this.#context());
      const agreed = names.map((name, i) => ({ name, tensor: present[i] ? bucket.tensor(i) : undefined }));
      if (this.#reducer.yields === "step") subtract(agreed);
      else if (this.#reducer.yields === "parameters") replace(agreed);
      else this.#inner.applyGradients(agreed as unknown as tf.NamedTensorMap);
      for (const { tensor } of agreed) tensor?.dispose();
    }
    this.#step++;
  }

  /** Which variables have a gradient on any rank, or undefined if this step is to be skipped. */
  *#agree(present: readonly boolean[]): Exchange<readonly boolean[] | undefined> {
    const bucket = this.#bucket!, step = this.#step;
    const statuses = yield* exchangeStatus({ step, nonFinite: bucket.firstNonFinite(), present });
    const rank = statuses.findIndex(({ nonFinite }) => nonFinite >= 0);
    if (rank < 0) return present.map((_, i) => statuses.some(({ present }) => present[i]));
    if (this.#nonFinite === "skip") return undefined;
    const i = statuses[rank]!.nonFinite;
    throw new RangeError(
      `Cannot take step ${step}: the gradient of variable ${i} (${bucket.layout.names[i]}) on rank ${rank} is not ` +
        'finite. Lower the learning rate, clip the loss, or pass nonFinite: "skip"',
    );
  }

  #context(): Context {
    const { rank, size } = this.#group, seed = this.#seed, step = this.#step;
    const learningRate = (this.#inner as { readonly learningRate?: number }).learningRate;
    const made = context({ seed, step, rank, size, workspace: this.#workspace, learningRate });
    // Read only if the reducer asks, and once per step.
    return Object.defineProperty(made, "parameters", { enumerable: true, get: () => this.#flatParameters(step) });
  }

  #flatParameters(step: number): Float32Array {
    const bucket = this.#bucket!;
    this.#parameters ??= { vector: new Float32Array(bucket.layout.size), step: -1 };
    if (this.#parameters.step !== step) {
      bucket.gather(bucket.layout.names.map(variable), this.#parameters.vector);
      this.#parameters.step = step;
    }
    return this.#parameters.vector;
  }

  /** into := this rank's gradient at the point `at`, on the batch of the step under way. */
  readonly #gradientAt: GradientOracle = (at, into, of = "batch") => {
    const loss = this.#loss, bucket = this.#bucket!, { names } = bucket.layout;
    if (of !== "batch") {
      throw new TypeError(
        `Cannot evaluate the gradient that ${this.#reducer.name} asks for: it is that of ` +
          `${of === "all" ? "all data" : `term ${of} of the data`}, and a step knows only its batch`,
      );
    }
    if (loss === undefined) {
      throw new TypeError(
        `Cannot evaluate the gradient that ${this.#reducer.name} asks for: applyGradients knows no loss. Call minimize`,
      );
    }
    const variables = names.map(variable), before = variables.map((variable) => variable.clone());
    try {
      variables.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i, at))));
      const { value, grads } = tf.variableGrads(loss.f, loss.variables as tf.Variable[]);
      bucket.gather(names.map((name) => grads[name]), into);
      tf.dispose([value, grads]);
    } finally {
      variables.forEach((variable, i) => variable.assign(before[i]!));
      tf.dispose(before);
    }
  };

  /** Disposes of `inner`'s slots. The group stays open. */
  override dispose(): void {
    this.#inner.dispose();
  }

  /** What a saved model remembers. */
  override getConfig(): ReturnType<tf.Optimizer["getConfig"]> {
    return {
      inner: { className: this.#inner.getClassName(), config: this.#inner.getConfig() },
      reducer: this.#reducer.name,
      seed: this.#seed,
    };
  }

  /** The inner optimizer's slots. */
  override getWeights(): ReturnType<tf.Optimizer["getWeights"]> {
    return this.#inner.getWeights();
  }

  /** Sets the inner optimizer's slots. */
  override setWeights(weightValues: Parameters<tf.Optimizer["setWeights"]>[0]): Promise<void> {
    return this.#inner.setWeights(weightValues);
  }
}

tf.serialization.registerClass(
  DistributedOptimizer as unknown as tf.serialization.SerializableConstructor<tf.Optimizer>,
);

function isBlocking(group: BlockingCollective | Collective): group is BlockingCollective {
  return Symbol.dispose in group;
}

function variable(name: string): tf.Variable {
  return tf.engine().registeredVariables[name]!;
}

function cost(value: tf.Scalar, wanted: boolean): tf.Scalar | null {
  if (wanted) return value;
  value.dispose();
  return null;
}

function toList(gradients: tf.NamedTensorMap | readonly NamedGradient[]): readonly NamedGradient[] {
  if (Array.isArray(gradients)) return gradients;
  return Object.entries(gradients as tf.NamedTensorMap).map(([name, tensor]) => ({ name, tensor }));
}

/** The tensors in the order of the first step; a variable that is not in the list has none. */
function inOrder(given: readonly NamedGradient[], names: readonly string[]): (tf.Tensor | null | undefined)[] {
  if (given.length === names.length && given.every(({ name }, i) => name === names[i])) {
    return given.map(({ tensor }) => tensor);
  }
  const unknown = given.find(({ name }) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(
      `Cannot apply gradients: variable ${unknown.name} was not among the ${names.length} of the first step. ` +
        "Make a new DistributedOptimizer when the variables to train change",
    );
  }
  const tensors = new Map(given.map(({ name, tensor }) => [name, tensor]));
  return names.map((name) => tensors.get(name));
}

/** The update of methods that have their own: what was agreed on is subtracted as it is. */
function subtract(steps: readonly NamedGradient[]): void {
  tf.tidy(() => {
    for (const { name, tensor } of steps) {
      if (tensor) variable(name).assign(tf.sub(variable(name), tensor));
    }
  });
}

/** What methods that own the parameters have made of them. */
function replace(values: readonly NamedGradient[]): void {
  tf.tidy(() => {
    for (const { name, tensor } of values) {
      // A product with one, because on the cpu backend the variable would share the bucket's memory from now on.
      if (tensor) variable(name).assign(tf.mul(tensor, 1));
    }
  });
}
