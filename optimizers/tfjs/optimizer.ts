import * as tf from "../../dependencies/tfjs.ts";
import { show } from "../../options.ts";
import { alone } from "../../transport/alone.ts";
import type { BlockingCollective, Exchange } from "../../transport/round.ts";
import { runAsync, runBlocking } from "../../transport/drivers.ts";
import { checkArguments, type Options } from "./arguments.ts";
import { average } from "../methods/average.ts";
import { describeMethod } from "../methods/describe.ts";
import { runCall } from "./agreement/calls.ts";
import { type Group, isBlocking, ordinalOver } from "./agreement/group.ts";
import { launchedSize } from "./launched.ts";
import type { Method } from "../methods/method.ts";
import { requireGroup, requireLoss, scalarLoss } from "./require.ts";
import { checkSlots, readSlots, requireStorable, setLearningRate, writeSlots } from "./variables/slots.ts";
import { checkState, checkVectors, type OptimizerState } from "./optimizer_state.ts";
import { type NamedTensorMap, Optimizer, type Scalar, type Variable } from "./variables/tfjs.ts";
import { Training } from "./step.ts";
import { type NamedGradient, toList } from "./variables/variables.ts";

/** The options of {@linkcode DistributedOptimizer}. */
export interface DistributedOptimizerOptions {
  /** The method by which ranks agree on a gradient, for instance `average()`. */
  readonly method: Method;
  /** The connected ranks. `fit` needs a blocking group; an awaited one serves `minimizeAsync`. */
  readonly group: Group;
  /** Where all randomness of the method comes from; equal on all ranks. Default 0. */
  readonly seed?: number;
  /**
   * What all ranks do in a step in which a gradient of any rank, or what the ranks make of their gradients, is NaN or
   * infinite. "throw" (the default): all ranks refuse the step. "skip": the step counts as taken and changes nothing, not
   * even BatchNorm's averages. In the steps between the exchanges of a method that has some every so many steps, the rank
   * leaves its gradient out; with "throw" all ranks throw when they next meet.
   */
  readonly nonFinite?: "throw" | "skip";
  /**
   * Every how many steps the ranks compare digests of the weights, of the inner optimizer's slots and of what the method
   * holds alike on all ranks. Where they differ, all ranks refuse the step and name what differs. 0: never. Default 100,
   * which costs less than 1 % of a step of a model with a million parameters. (Learning rates are compared in every step.)
   */
  readonly verify?: number;
  /**
   * The loss on all of this rank's data, or on one term of it (a minibatch, by its number): what variance reduction asks
   * for beyond the step's batch, `vrDiana` and `marina` with `dense: "all"`. Default: a method that asks is refused.
   */
  readonly dataLoss?: (term?: number) => Scalar;
}

/**
 * A `tf.Optimizer` whose gradients are agreed on by all ranks before `inner` applies them. Use it where `inner` would
 * be used: in `model.compile` (then `fit`, `fitDataset`, `trainOnBatch`), or by calling `minimize`; where blocking is
 * impossible, call `minimizeAsync`.
 *
 * - Before the first step the ranks compare the variables' shapes, seed, method, options and inner optimizer, and
 *   refuse to train together if any differs; then they take over rank 0's values of the variables that are trained.
 * - In every step they compare the learning rate and the inner optimizer's options, and every `verify` steps digests of
 *   the weights, the slots and what the method holds alike on all ranks. All ranks refuse a step in which any differs.
 * - Alone, a rank trains as several do: its gradient is compressed, and what the method remembers is kept. A method that
 *   for one rank leaves the gradient as it is (`average()`) is left out there.
 * - A variable without a gradient counts as having a gradient of zeros. If no rank has a gradient for it, and the method
 *   delivers nothing for it either, the inner optimizer leaves it alone, as without this class.
 * - All ranks must take equally many steps; see `shard`.
 * - If a step fails (a rank is lost, a loss throws, a number is not finite), then weights, slots and method state are as
 *   before it, and all ranks that can be told throw. After a lost rank, `rejoin` goes on among the survivors.
 *
 * Memory, made at the first step: one vector of the parameters' size, another where the method reads the parameters, what
 * the method itself needs, and a copy of its state. The weights and slots of before the last step are held on to, so that
 * the step can be taken back (not in groups in which a round succeeds on all ranks or on none). Messages per step: 28 bytes
 * and a bit per variable before the method's, and an empty one after them; none in the steps in between of methods that
 * exchange every so many. `group` remains the caller's to close. A method that asks for the gradient at another point has
 * the loss evaluated once more: dropout then draws another mask, `trainOnBatch` returns its metrics twice, and what the loss
 * itself passes to `tf.keep` in such an evaluation is disposed of at the next step.
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { average, DistributedOptimizer } from "@gradwire/tfjs/optimizers";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * // Two ranks in one thread, each with half of the data; among workers or machines there is one of these per process.
 * const ranks = memory(2).map((transport) => {
 *   const group = collective(transport), w = tf.variable(tf.scalar(0));
 *   const optimizer = new DistributedOptimizer(tf.train.sgd(0.5), { method: average(), group });
 *   const loss = () => w.sub(group.rank).square().asScalar();
 *   return { group, w, step: () => optimizer.minimizeAsync(loss, false, [w]) };
 * });
 * await Promise.all(ranks.map(({ step }) => step()));
 * console.assert(ranks.every(({ w }) => w.dataSync()[0] === 0.5)); // the mean of 0 and 1
 * for (const { group } of ranks) await group[Symbol.asyncDispose]();
 * // In fit: model.compile({ optimizer: new DistributedOptimizer(tf.train.adam(), { method, group: await connect() }), … })
 * ```
 */
export class DistributedOptimizer extends Optimizer {
  /** The name that saved models know this class by. */
  static readonly className: string = "DistributedOptimizer";

  readonly #inner: Optimizer;
  readonly #options: Options;
  readonly #training: Training;
  #busy = false;
  #disposed = false;
  /** Whether this is the optimizer of a loaded model, which knows no ranks. */
  #loaded = false;

  /**
   * Wraps `inner`.
   *
   * @throws {TypeError} if an argument is not what it should be or an option is unknown
   * @throws {RangeError} if the seed or `verify` is not a safe non-negative integer
   */
  constructor(inner: Optimizer, options: DistributedOptimizerOptions) {
    super();
    const checked = checkArguments(inner, options);
    if (#inner in inner) {
      throw new TypeError(
        "Cannot make a DistributedOptimizer: inner is one already, expected the optimizer to wrap",
      );
    }
    this.#inner = inner;
    this.#options = checked;
    this.#training = new Training(inner, checked);
  }

  /** Steps taken, skipped ones included. */
  override get iterations(): number {
    // The base class's constructor does not ask, but its prototype may be inspected.
    return #training in this ? this.#training.step : 0;
  }

  /**
   * The inner optimizer's learning rate, where it has one. Setting it sets the inner one's on this rank: set it on all ranks
   * before the same step, or they refuse to take it.
   */
  get learningRate(): number | undefined {
    return (this.#inner as { readonly learningRate?: number }).learningRate;
  }

  set learningRate(rate: number) {
    this.setLearningRate(rate);
  }

  /** Sets the learning rate, as `tf.train.sgd` has it: see {@linkcode DistributedOptimizer.learningRate}. */
  setLearningRate(rate: number): void {
    if (!(typeof rate === "number" && rate >= 0 && rate < Infinity)) {
      throw new RangeError(`Cannot set the learning rate: it is ${show(rate)}, expected a finite number ≥ 0`);
    }
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
    const group = this.#blocking("minimize");
    return cost(this.#enter(() => this.#run(this.#training.minimize(f, varList), group)), returnCost);
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
    const { group, work: { gradientAt } } = this.#training;
    if (group.size === 1 || isBlocking(group)) return this.minimize(f, returnCost, varList);
    return await this.#enterAsync(async () => {
      return cost(await runAsync(this.#training.minimize(f, varList), group, gradientAt), returnCost);
    });
  }

  /**
   * Agrees on gradients computed elsewhere and has `inner` apply them. Methods that ask for the gradient at another
   * point need `minimize`.
   */
  override applyGradients(variableGradients: NamedTensorMap | NamedGradient[]): void {
    const group = this.#blocking("applyGradients");
    this.#enter(() => this.#run(this.#training.apply(toList(variableGradients)), group));
  }

  /**
   * The loss and its gradients on this rank's batch. Before the first step of a blocking group the ranks take over rank
   * 0's values of the variables in `varList`.
   */
  override computeGradients(f: () => Scalar, varList?: Variable[]): {
    value: Scalar;
    grads: NamedTensorMap;
  } {
    const training = this.#training, { group } = training;
    requireLoss("compute gradients", f, varList);
    if (!training.alone && varList !== undefined && isBlocking(group)) {
      this.#enter(() => this.#run(training.begin(() => varList), group));
    }
    return training.forward(() => super.computeGradients(() => scalarLoss("compute gradients", f()), varList));
  }

  /**
   * What must be kept of this rank to go on later. Its vectors are the live ones: write them out before the next step.
   * See {@linkcode saveCheckpoint}.
   *
   * @throws {Error} if a step is under way
   * @throws {TypeError} if the inner optimizer is of a class of a user's own that keeps tensors or arrays where they cannot
   *   be read, for instance in a Map
   */
  getState(): OptimizerState {
    if (this.#busy) throw new Error("Cannot read or replace the state: a step is under way; await minimizeAsync");
    requireStorable(this.#inner);
    const { step, group: { rank, size }, work: { bucket, state }, restoring: { state: restored } } = this.#training;
    const layout = bucket?.layout ?? restored?.layout;
    return {
      step,
      seed: this.#options.seed,
      rank,
      size,
      method: describeMethod(this.#options.method),
      ...layout ? { layout } : {},
      local: state?.local ?? restored?.local ?? {},
      shared: state?.shared ?? restored?.shared ?? {},
      inner: readSlots(this.#inner),
    };
  }

  /**
   * Throws what {@linkcode DistributedOptimizer.setState} would throw, and changes nothing.
   *
   * @throws {Error} if the seed, rank, size, method, inner optimizer or layout differs, or if a vector or slot is missing
   *   or has another shape; the message names the first difference
   */
  checkState(state: OptimizerState): void {
    const mine = this.getState(), { layout } = state, { bucket } = this.#training.work;
    checkState(state, bucket ? mine : { ...mine, layout: undefined });
    if (layout) checkVectors(state, this.#options.method.init(layout, mine.size));
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
    this.#training.restore(state, this.getState(), variables);
    writeSlots(this.#inner, state.inner);
  }

  /**
   * Goes on in a new group after a `TransportError`: call it on all survivors, each with its group. A rank may have ended a
   * step in which another one was lost before it had ended it. Then that rank takes the step back, bit for bit (weights,
   * slots, the method's state, BatchNorm's averages), so that all stand at the last step which all of them have taken:
   * `iterations` tells which. The group may have another size if the method keeps nothing of a rank's own from step to
   * step; else the same ranks must meet in the same order.
   *
   * @throws {Error} on all ranks, if they are more than one step apart, if they differ in what must be equal, or if the
   *   method cannot go on among these ranks
   * @throws {TransportError} if a rank is lost
   *
   * @example
   * ```ts
   * import * as tf from "@tensorflow/tfjs";
   * import { average, DistributedOptimizer } from "@gradwire/tfjs/optimizers";
   * import { collective, memory, TransportError } from "@gradwire/tfjs/transport";
   * const meet = () => memory(2).map((transport) => collective(transport));
   * const ranks = meet().map((group) => {
   *   const w = tf.variable(tf.scalar(1)), inner = tf.train.adam(0.1);
   *   const optimizer = new DistributedOptimizer(inner, { method: average(), group });
   *   return { group, optimizer, step: () => optimizer.minimizeAsync(() => w.square().asScalar(), false, [w]) };
   * });
   * await Promise.all(ranks.map(({ step }) => step()));
   * await ranks[1]!.group[Symbol.asyncDispose](); // the connection is lost
   * const error = await ranks[0]!.step().catch((error) => error);
   * console.assert(error instanceof TransportError);
   * const again = meet();
   * await Promise.all(ranks.map(({ optimizer }, rank) => optimizer.rejoin(again[rank]!)));
   * await Promise.all(ranks.map(({ step }) => step()));
   * console.assert(ranks.every(({ optimizer }) => optimizer.iterations === 2));
   * for (const group of again) await group[Symbol.asyncDispose]();
   * ```
   */
  async rejoin(group: Group): Promise<void> {
    requireGroup("rejoin", group);
    await this.#enterAsync(() => runCall("rejoin", this.#training.rejoin(group, ordinalOver(group)), group));
  }

  #blocking(what: string): BlockingCollective {
    const { group } = this.#training;
    if (isBlocking(group)) return group;
    if (group.size === 1) return alone(); // there is nobody to wait for
    throw new TypeError(
      `Cannot ${what} with a group that must be awaited: fit, fitDataset, trainOnBatch and minimize block until all ` +
        "have answered. Train in a worker with a blocking group (connect()), or call minimizeAsync",
    );
  }

  #run<R>(exchange: Exchange<R>, group: BlockingCollective): R {
    return runBlocking(exchange, group, this.#training.work.gradientAt);
  }

  /** Runs a step; a second one may not start before it ends. */
  #enter<R>(step: () => R): R {
    this.#start();
    try {
      return step();
    } catch (error) {
      throw this.#training.explained(error);
    } finally {
      this.#busy = false;
    }
  }

  async #enterAsync<R>(step: () => Promise<R>): Promise<R> {
    this.#start();
    try {
      return await step();
    } catch (error) {
      throw this.#training.explained(error);
    } finally {
      this.#busy = false;
    }
  }

  #start(): void {
    if (this.#disposed) {
      throw new Error("Cannot start a step: the optimizer has been disposed of, expected a new DistributedOptimizer");
    }
    if (this.#busy) throw new Error("Cannot start a step: the step before has not ended; await minimizeAsync");
    const launched = this.#loaded ? launchedSize() : 1;
    if (launched > 1) {
      throw new Error(
        `Cannot train a loaded model on ${launched} ranks: its optimizer was saved without its group, and every rank would ` +
          "train on its own. Compile the model again, with new DistributedOptimizer(inner, { method, group }) over the " +
          "group, or with inner itself if this rank alone is to train it",
      );
    }
    this.#busy = true;
  }

  /** Disposes of `inner`'s slots. The group stays open. */
  override dispose(): void {
    this.#disposed = true;
    this.#training.dispose();
    this.#inner.dispose();
  }

  /** What a saved model remembers: `inner`, and for information the method and the seed. */
  override getConfig(): ReturnType<Optimizer["getConfig"]> {
    return {
      inner: { className: this.#inner.getClassName(), config: this.#inner.getConfig() },
      method: describeMethod(this.#options.method),
      seed: this.#options.seed,
    };
  }

  /** The inner optimizer's slots. */
  override getWeights(): ReturnType<Optimizer["getWeights"]> {
    return this.#inner.getWeights();
  }

  /** Sets the inner optimizer's slots, and the number of steps taken. */
  override async setWeights(weightValues: Parameters<Optimizer["setWeights"]>[0]): Promise<void> {
    await this.#inner.setWeights(weightValues);
    this.#training.step = this.#inner.iterations;
  }

  /**
   * The optimizer of a loaded model: `inner` in a group of one, because what is loaded has no group. Compile the model
   * again to train it among ranks: on several ranks that a launcher has started, this one refuses to train.
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
    const loaded = new cls(make(innerClass, options) as Optimizer, { method: average(), group: alone(), seed });
    if (#loaded in loaded) loaded.#loaded = true;
    return loaded;
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
