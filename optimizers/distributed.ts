import * as tf from "@tensorflow/tfjs";
import { alone } from "../transport/alone.ts";
import {
  type BlockingCollective,
  type Exchange,
  type GradientOracle,
  runAsync,
  runBlocking,
} from "../transport/round.ts";
import { TransportError } from "../transport/transport.ts";
import { handshake } from "../transport/handshake.ts";
import { Bucket, layoutDigest, layoutOf } from "./bucket.ts";
import { average } from "./average.ts";
import { describeReducer } from "./describe.ts";
import { type Group, isBlocking } from "./group.ts";
import { type Context, context, type Layout, type Reducer, type State, type Workspace, workspace } from "./reducer.ts";
import { checkSlots, readSlots, setLearningRate, slotsDigest, writeSlots } from "./slots.ts";
import { Snapshot } from "./snapshot.ts";
import { checkLayout, checkState, checkVectors, type OptimizerState, restoreState } from "./state.ts";
import { exchangeStatus } from "./status.ts";
import { type NamedTensorMap, Optimizer, type Scalar, type Tensor, type Variable } from "./tfjs.ts";
import { inOrder, type NamedGradient, notTrained, replace, subtract, takeOver, toList, variable } from "./variables.ts";

/** The options of {@linkcode DistributedOptimizer}. */
export interface DistributedOptimizerOptions {
  /** The method by which ranks agree on a gradient, for instance `average()`. */
  readonly reducer: Reducer;
  /** The connected ranks. `fit` needs a blocking group; an awaited one serves `minimizeAsync`. */
  readonly group: Group;
  /** Where all randomness of the reducer comes from; equal on all ranks. Default 0. */
  readonly seed?: number;
  /**
   * What all ranks do in a step in which a gradient of any rank is NaN or infinite. Default "throw". In the steps between
   * the exchanges of a method that has some every so many steps, the rank leaves its gradient out; with "throw" all ranks
   * throw when they next meet.
   */
  readonly nonFinite?: "throw" | "skip";
  /**
   * The loss on all of this rank's data, or on one term of it (a minibatch, by its number): what variance reduction asks
   * for beyond the step's batch, `vrDiana` and `marina` with `dense: "all"`. Default: a reducer that asks is refused.
   */
  readonly dataLoss?: (term?: number) => Scalar;
}

/** What a restored state has taken the place of. */
interface Before {
  readonly state: OptimizerState;
  readonly memory: State | undefined;
  readonly bucket: Bucket | undefined;
  readonly restored: OptimizerState | undefined;
}

/** The loss of the step under way and its variables: what the gradient at another point needs. */
interface Loss {
  readonly f: () => Scalar;
  readonly variables: readonly Variable[] | undefined;
}

/**
 * A `tf.Optimizer` whose gradients are agreed on by all ranks before `inner` applies them. Use it where `inner` would
 * be used: in `model.compile` (then `fit`, `fitDataset`, `trainOnBatch`), or by calling `minimize`; where blocking is
 * impossible, call `minimizeAsync`.
 *
 * - Before the first step the ranks compare the variables' shapes, seed, reducer, options and inner optimizer, and
 *   refuse to train together if any differs; then they take over rank 0's values of the variables that are trained.
 * - A group of one calls `inner` and does nothing else (unless the reducer has its own update).
 * - All ranks must take equally many steps; see `shard`.
 * - If a step fails (a rank is lost, a gradient is not finite), weights, slots and reducer state are as before it.
 *
 * Memory, made at the first step: one vector of the parameters' size, another where the reducer reads the parameters,
 * and what the reducer itself needs. Messages per step: 12 bytes and a bit per variable, and the reducer's; none
 * in the steps in between of methods that exchange every so many. `group`
 * remains the caller's to close. A reducer that asks for the gradient at another point has the loss evaluated once more:
 * dropout then draws another mask, `trainOnBatch` returns its metrics twice, and what the loss itself passes to
 * `tf.keep` in such an evaluation is disposed of at the next step.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { average, DistributedOptimizer } from "@gradwire/tfjs/optimizers";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * // Two ranks in one thread, each with half of the data; among workers or machines there is one of these per process.
 * const ranks = memory(2).map((transport) => {
 *   const group = collective(transport), w = tf.variable(tf.scalar(0));
 *   const optimizer = new DistributedOptimizer(tf.train.sgd(0.5), { reducer: average(), group });
 *   const loss = () => w.sub(group.rank).square().asScalar();
 *   return { group, w, step: () => optimizer.minimizeAsync(loss, false, [w]) };
 * });
 * await Promise.all(ranks.map(({ step }) => step()));
 * console.assert(ranks.every(({ w }) => w.dataSync()[0] === 0.5)); // the mean of 0 and 1
 * for (const { group } of ranks) await group[Symbol.asyncDispose]();
 * // In fit: model.compile({ optimizer: new DistributedOptimizer(tf.train.adam(), { reducer, group: await connect() }), … })
 * ```
 */
export class DistributedOptimizer extends Optimizer {
  /** The name that saved models know this class by. */
  static readonly className: string = "DistributedOptimizer";

  readonly #inner: Optimizer;
  readonly #reducer: Reducer;
  readonly #group: Group;
  readonly #seed: number;
  readonly #nonFinite: "throw" | "skip";
  readonly #dataLoss: ((term?: number) => Scalar) | undefined;
  readonly #workspace: Workspace = workspace();
  #step = 0;
  #bucket: Bucket | undefined;
  #state: State | undefined;
  #loss: Loss | undefined;
  #parameters: Float32Array | undefined;
  /** A variable whose gradient was not finite in a step that the other ranks have not heard of, or −1. */
  #unreported = -1;
  /** Whether the reducer's `ahead` has been run in the step under way. */
  #early = false;
  #busy = false;
  /** What the checkpoint said of a step not yet taken. */
  #restored: OptimizerState | undefined;
  /** What was there before it was restored, until a step has confirmed it. */
  #before: Before | undefined;
  /** The variables that were given other values together with the restored state. */
  readonly #snapshots: Snapshot[] = [];
  /** The variables that the forward pass itself assigns to: BatchNorm's moving averages. Known after the first step. */
  #writtenForward: readonly Variable[] | undefined;
  /** Metrics that `fit` keeps whenever it evaluates the loss, of evaluations at other points. */
  readonly #leftovers: Tensor[] = [];

  /**
   * Wraps `inner`.
   *
   * @throws {TypeError} if an argument is not what it should be or an option is unknown
   * @throws {RangeError} if the seed is not a safe non-negative integer
   */
  constructor(inner: Optimizer, options: DistributedOptimizerOptions) {
    super();
    const { reducer, group, seed = 0, nonFinite = "throw", dataLoss, ...unknown } = options;
    const refuse = (why: string) => new TypeError(`Cannot make a DistributedOptimizer: ${why}`);
    if (typeof inner?.applyGradients !== "function") throw refuse(`inner is ${inner}, expected a tf.Optimizer`);
    if (#inner in inner) throw refuse("inner is one already, expected the optimizer to wrap");
    if (typeof reducer?.reduce !== "function") throw refuse(`reducer is ${reducer}, expected one such as average()`);
    if (typeof group?.perform !== "function") throw refuse(`group is ${group}, expected one such as connect() gives`);
    if (nonFinite !== "throw" && nonFinite !== "skip") {
      throw refuse(`nonFinite is ${JSON.stringify(nonFinite)}, expected "throw" or "skip"`);
    }
    for (const option of Object.keys(unknown)) {
      throw refuse(`there is no option ${option}, expected reducer, group, seed, nonFinite, dataLoss`);
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
    this.#dataLoss = dataLoss;
  }

  /** Steps taken, skipped ones included. */
  override get iterations(): number {
    // The base class's constructor does not ask, but its prototype may be inspected.
    return #step in this ? this.#step : 0;
  }

  /** The inner optimizer's learning rate, where it has one; setting it sets the inner one's, on this rank. */
  get learningRate(): number | undefined {
    return (this.#inner as { readonly learningRate?: number }).learningRate;
  }

  set learningRate(rate: number) {
    setLearningRate(this.#inner, rate);
  }

  /**
   * One step: evaluates the loss and its gradients, agrees on them with the other ranks, and updates the variables.
   *
   * @returns the loss on this rank's batch if `returnCost`, else null
   * @throws {TypeError} if the group cannot block
   * @throws {TransportError} if a rank is lost
   * @throws {RangeError} if a gradient of any rank is not finite
   */
  override minimize(f: () => Scalar, returnCost = false, varList?: Variable[]): Scalar | null {
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
  async minimizeAsync(f: () => Scalar, returnCost = false, varList?: Variable[]): Promise<Scalar | null> {
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
  override applyGradients(variableGradients: NamedTensorMap | NamedGradient[]): void {
    if (this.#alone) {
      if (this.#restored) this.#confirmAlone(toList(variableGradients).map(({ name }) => variable(name)));
      this.#inner.applyGradients(variableGradients as NamedTensorMap);
      this.#step++;
      return;
    }
    const group = this.#blocking("applyGradients");
    this.#enter(() => runBlocking(this.#apply(toList(variableGradients)), group, this.#gradientAt));
  }

  /**
   * The loss and its gradients on this rank's batch. Before the first step of a blocking group the ranks take over rank
   * 0's values of the variables in `varList`.
   */
  override computeGradients(f: () => Scalar, varList?: Variable[]): {
    value: Scalar;
    grads: NamedTensorMap;
  } {
    const group = this.#group;
    if (!this.#alone && this.#bucket === undefined && varList !== undefined && isBlocking(group)) {
      this.#enter(() => runBlocking(this.#begin(varList), group));
    }
    return super.computeGradients(f, varList);
  }

  /**
   * What must be kept of this rank to go on later. Its vectors are the live ones: write them out before the next step.
   * See {@linkcode saveCheckpoint}.
   *
   * @throws {Error} if a step is under way
   */
  getState(): OptimizerState {
    if (this.#busy) throw new Error("Cannot read or replace the state: a step is under way; await minimizeAsync");
    const layout = this.#bucket?.layout, restored = this.#restored;
    return {
      step: this.#step,
      seed: this.#seed,
      rank: this.#group.rank,
      size: this.#group.size,
      reducer: describeReducer(this.#reducer),
      ...layout ? { layout } : restored?.layout ? { layout: restored.layout } : {},
      local: this.#state?.local ?? restored?.local ?? {},
      shared: this.#state?.shared ?? restored?.shared ?? {},
      inner: readSlots(this.#inner),
    };
  }

  /**
   * Throws what {@linkcode DistributedOptimizer.setState} would throw, and changes nothing.
   *
   * @throws {Error} if the seed, rank, size, reducer, inner optimizer or layout differs, or if a vector or slot is missing
   *   or has another shape; the message names the first difference
   */
  checkState(state: OptimizerState): void {
    const mine = this.getState(), { layout } = state;
    checkState(state, this.#bucket ? mine : { ...mine, layout: undefined });
    if (layout) checkVectors(state, this.#reducer.init(layout, this.#group.size));
    checkSlots(this.#inner, state.inner, layout?.shapes);
  }

  /**
   * Goes on where another optimizer of the same options stopped. All ranks must call it with what they got from
   * `getState`. The next step compares it among the ranks and with the variables; if it then refuses, this optimizer (and
   * the variables given) are as they were before, on all ranks.
   *
   * @param variables what the caller gives other values after this call, so that a refusal can take them back
   * @throws {Error} as `checkState` does; nothing has been changed then
   */
  setState(state: OptimizerState, variables: readonly Variable[] = []): void {
    this.checkState(state);
    this.#before ??= { state: this.getState(), memory: this.#state, bucket: this.#bucket, restored: this.#restored };
    this.#snapshots.push(new Snapshot(variables));
    writeSlots(this.#inner, state.inner);
    this.#step = state.step;
    // The reducer's vectors are made, and filled, before the next step.
    this.#restored = state;
    this.#bucket = this.#state = undefined;
  }

  /** A step has confirmed the restored state: what was before it is no longer needed. */
  #confirm(): void {
    for (const snapshot of this.#snapshots.splice(0)) snapshot[Symbol.dispose]();
    this.#before = this.#restored = undefined;
  }

  /** A step has refused the restored state: everything is again as it was before. */
  #takeBack(): void {
    const before = this.#before;
    if (before === undefined) return;
    for (const snapshot of this.#snapshots.toReversed()) snapshot.restore();
    writeSlots(this.#inner, before.state.inner);
    this.#confirm();
    this.#step = before.state.step;
    this.#restored = before.restored;
    this.#state = before.memory;
    this.#bucket = before.bucket;
  }

  /** The reducer's state before its first step here, if the restored one goes with these variables. */
  #prepare(layout: Layout): State {
    const restored = this.#restored, state = this.#reducer.init(layout, this.#group.size);
    if (restored === undefined) return state;
    if (restored.layout) checkLayout(restored.layout, layout), checkVectors(restored, state);
    checkSlots(this.#inner, restored.inner, layout.shapes);
    return state;
  }

  /** A group of one has nothing to agree on; a reducer with its own update must run all the same. */
  get #alone(): boolean {
    return this.#group.size === 1 && (this.#reducer.yields ?? "gradient") === "gradient";
  }

  #minimizeAlone(f: () => Scalar, returnCost: boolean, varList?: Variable[]): Scalar | null {
    if (this.#restored === undefined) {
      const value = this.#inner.minimize(f, returnCost, varList);
      this.#step++;
      return value;
    }
    // As the inner optimizer's own minimize does, but that the restored state is compared with the variables in between.
    using before = new Snapshot(notTrained());
    const { value, grads } = this.#inner.computeGradients(f, varList), written = before.changed();
    try {
      this.applyGradients(varList?.map(({ name }) => ({ name, tensor: grads[name] })) ?? grads);
    } catch (error) {
      value.dispose(), before.restore(written);
      throw error;
    } finally {
      tf.dispose(grads);
    }
    return cost(value, returnCost);
  }

  /** Compares a restored state with the variables, where there are no other ranks that could have another one. */
  #confirmAlone(variables: readonly Variable[]): void {
    try {
      this.#prepare(layoutOf(variables));
    } catch (error) {
      this.#takeBack();
      throw error;
    }
    this.#confirm();
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

  *#minimize(f: () => Scalar, varList?: readonly Variable[]): Exchange<Scalar> {
    if (this.#bucket === undefined && varList !== undefined) yield* this.#begin(varList);
    tf.dispose(this.#leftovers.splice(0));
    using before = new Snapshot(this.#writtenForward ?? notTrained());
    let done = false, value: Scalar | undefined, grads: NamedTensorMap = {};
    const ahead = this.#state && this.#reducer.ahead?.(this.#state, this.#context());
    try {
      // What needs nothing of this step's gradient goes on while it is evaluated.
      let early = ahead?.next([]);
      const reply = early && !early.done ? yield early.value : [];
      ({ value, grads } = tf.variableGrads(f, varList as Variable[]));
      this.#writtenForward ??= before.changed();
      if (early && !early.done) early = ahead!.next(reply);
      while (early && !early.done) early = ahead!.next(yield early.value);
      if (this.#bucket === undefined) {
        // Which variables there are is only known now; the gradients were taken at this rank's own weights.
        yield* this.#begin(toList(grads).map(({ name }) => variable(name)));
        tf.dispose([value, grads]);
        before.restore(this.#writtenForward);
        ({ value, grads } = tf.variableGrads(f));
      }
      this.#loss = { f, variables: varList };
      this.#early = early !== undefined;
      yield* this.#apply(varList?.map(({ name }) => ({ name, tensor: grads[name] })) ?? toList(grads));
      done = true;
      return value;
    } finally {
      this.#loss = undefined;
      this.#early = false;
      ahead?.return();
      tf.dispose(grads);
      if (!done) value?.dispose(), before.restore(this.#writtenForward);
    }
  }

  /** Before the first step: all ranks take over rank 0's weights, and what of a checkpoint only rank 0 has. */
  *#begin(variables: readonly Variable[]): Exchange {
    const bucket = new Bucket(layoutOf(variables)), restored = this.#restored, { rank } = this.#group;
    let state: State | undefined, refusal: unknown;
    try {
      state = this.#prepare(bucket.layout);
    } catch (error) {
      refusal = error;
    }
    try {
      // Every rank's verdict on what it restored travels along, so that all refuse if one does.
      yield* handshake(this.#facts(bucket.layout, refusal));
      if (refusal !== undefined) throw refusal;
    } catch (error) {
      // After a difference is found nothing has been changed on any rank.
      if (!(error instanceof TransportError)) this.#takeBack();
      throw error;
    }
    // Methods that own the parameters may have let them differ when the checkpoint was written.
    if (!(restored?.layout && this.#reducer.yields === "parameters")) yield* takeOver(bucket, variables, rank);
    if (restored?.layout) yield* restoreState(restored, state!, rank);
    this.#confirm();
    this.#state = state;
    this.#bucket = bucket;
  }

  /** What must be equal on all ranks for their replicas to stay equal. */
  #facts({ shapes }: Layout, refusal?: unknown): Readonly<Record<string, unknown>> {
    const { name, options, yields = "gradient" } = this.#reducer, inner = readSlots(this.#inner);
    const { layout, digests } = this.#restored ?? {};
    return {
      // As text, so that a difference is told as two whole shapes.
      variables: shapes.map((shape) => `[${shape.join(", ")}]`),
      step: this.#step,
      seed: this.#seed,
      reducer: { name, options, yields },
      nonFinite: this.#nonFinite,
      inner: { className: inner.className, config: inner.config },
      restored: refusal !== undefined ? (refusal as Error).message : layout === undefined ? "nothing" : {
        layout: layoutDigest(layout),
        step: this.#step,
        "values (digest)": digests?.common,
        ...yields !== "parameters" && { "weights (digest)": digests?.weights },
      },
      "slots (digest)": slotsDigest(inner),
    };
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
      else this.#inner.applyGradients(agreed as unknown as NamedTensorMap);
      for (const { tensor } of agreed) tensor?.dispose();
    }
    this.#step++;
  }

  /** Which variables have a gradient on any rank, or undefined if this step is to be skipped. */
  *#agree(present: readonly boolean[]): Exchange<readonly boolean[] | undefined> {
    const bucket = this.#bucket!, step = this.#step, nonFinite = bucket.firstNonFinite();
    if ((step + 1) % (this.#reducer.every ?? 1) !== 0) {
      // The ranks are on their own. A gradient that is not finite is left out, and reported when they next meet.
      if (nonFinite >= 0) bucket.vector.fill(0);
      if (nonFinite >= 0 && this.#nonFinite === "throw" && this.#unreported < 0) this.#unreported = nonFinite;
      return present.map(() => true);
    }
    const report = nonFinite >= 0 ? nonFinite : this.#unreported;
    const statuses = yield* exchangeStatus({ step, nonFinite: report, present });
    this.#unreported = -1;
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
    const { learningRate } = this, early = this.#early;
    const made = context({ seed, step, rank, size, early, workspace: this.#workspace, learningRate });
    // Read only if the reducer asks, and once per step.
    let parameters: Float32Array | undefined;
    const get = () => parameters ??= this.#readParameters();
    return Object.defineProperty(made, "parameters", { enumerable: true, get });
  }

  #readParameters(): Float32Array {
    const { layout } = this.#bucket!;
    this.#parameters ??= new Float32Array(layout.size);
    return this.#bucket!.gather(layout.names.map(variable), this.#parameters);
  }

  /** into := this rank's gradient at the point `at`, on the batch of the step under way. */
  readonly #gradientAt: GradientOracle = (at, into, of = "batch") => {
    const loss = this.#loss, bucket = this.#bucket!, { names } = bucket.layout;
    const dataLoss = this.#dataLoss;
    if (of !== "batch" && dataLoss === undefined) {
      throw new TypeError(
        `Cannot evaluate the gradient that ${this.#reducer.name} asks for: it is that of ` +
          `${of === "all" ? "all data" : `term ${of} of the data`}, and a step knows only its batch. Pass dataLoss`,
      );
    }
    if (loss === undefined) {
      throw new TypeError(
        `Cannot evaluate the gradient that ${this.#reducer.name} asks for: applyGradients knows no loss. Call minimize`,
      );
    }
    const variables = names.map(variable);
    using before = new Snapshot([...variables, ...this.#writtenForward!]);
    try {
      variables.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i, at))));
      let made: readonly Tensor[] = [];
      const { value, grads } = tf.variableGrads(() => {
        const value = of === "batch" ? loss.f() : of === "all" ? dataLoss!() : dataLoss!(of);
        made = tf.engine().state.activeScope.track;
        return value;
      }, loss.variables as Variable[]);
      bucket.gather(names.map((name) => grads[name]), into);
      tf.dispose([value, grads]);
      const bad = bucket.firstNonFinite(into);
      if (bad >= 0) {
        throw new RangeError(
          `Cannot take step ${this.#step}: the gradient of variable ${bad} (${names[bad]}) that ` +
            `${this.#reducer.name} asks for on rank ${this.#group.rank} is not finite`,
        );
      }
      this.#leftovers.push(...made.filter(({ kept, isDisposed }) => kept && !isDisposed));
    } finally {
      before.restore();
    }
  };

  /** Disposes of `inner`'s slots. The group stays open. */
  override dispose(): void {
    this.#confirm();
    tf.dispose(this.#leftovers.splice(0));
    this.#inner.dispose();
  }

  /** What a saved model remembers: `inner`, and for information the reducer and the seed. */
  override getConfig(): ReturnType<Optimizer["getConfig"]> {
    return {
      inner: { className: this.#inner.getClassName(), config: this.#inner.getConfig() },
      reducer: describeReducer(this.#reducer),
      seed: this.#seed,
    };
  }

  /** The inner optimizer's slots. */
  override getWeights(): ReturnType<Optimizer["getWeights"]> {
    return this.#inner.getWeights();
  }

  /** Sets the inner optimizer's slots, and the number of steps taken. */
  override async setWeights(weightValues: Parameters<Optimizer["setWeights"]>[0]): Promise<void> {
    await this.#inner.setWeights(weightValues);
    this.#step = this.#inner.iterations;
  }

  /**
   * The optimizer of a loaded model: `inner` in a group of one, because what is loaded has no group. Compile the model
   * again to train it among ranks.
   */
  static fromConfig<T extends Optimizer>(
    cls: new (inner: Optimizer, options: DistributedOptimizerOptions) => T,
    config: ReturnType<Optimizer["getConfig"]>,
  ): T {
    const { className, config: options } = config["inner"] as { className: string; config: typeof config };
    const known = tf.serialization.SerializationMap.getMap().classNameMap[className];
    if (!known) {
      throw new Error(`Cannot load a DistributedOptimizer: tfjs does not know its inner class ${className}`);
    }
    const [innerClass, make] = known, seed = config["seed"] as number;
    return new cls(make(innerClass, options) as Optimizer, { reducer: average(), group: alone(), seed });
  }
}

tf.serialization.registerClass(
  DistributedOptimizer as unknown as tf.serialization.SerializableConstructor<Optimizer>,
);

function cost(value: Scalar, wanted: boolean): Scalar | null {
  if (wanted) return value;
  value.dispose();
  return null;
}
