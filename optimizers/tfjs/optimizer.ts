import * as tf from "../../dependencies/tfjs.ts";
import { show } from "../../options.ts";
import { alone } from "../../transport/alone.ts";
import { runAsync, runBlocking } from "../../transport/drivers.ts";
import type { BlockingCollective, Exchange } from "../../transport/round.ts";
import { average } from "../methods/average.ts";
import { describeMethod } from "../methods/describe.ts";
import { runCall } from "./agreement/calls.ts";
import { type Group, isBlocking, ordinalOver, requireGroup } from "./agreement/group.ts";
import { checkArguments, type DistributedOptimizerOptions, type Options } from "./arguments.ts";
import { loadInner, requireOneLaunched } from "./loaded.ts";
import { type Loss, requireLoss, scalarLoss } from "./loss.ts";
import type { OptimizerState } from "./optimizer_state.ts";
import { Replica } from "./replica.ts";
import { Step } from "./step.ts";
import { setLearningRate } from "./variables/slots.ts";
import { type NamedTensorMap, Optimizer, type Scalar, type Variable } from "./variables/tfjs.ts";
import { type NamedGradient, toList } from "./variables/variables.ts";

/**
 * A `tf.Optimizer` whose gradients are agreed on by all ranks before `inner` applies them. Use it where `inner` would
 * be used: in `model.compile` (then `fit`, `fitDataset`, `trainOnBatch`), or by calling `minimize`; where blocking is
 * impossible, call `minimizeAsync`.
 *
 * - Before the first step the ranks compare the variables' shapes, seed, method, options and inner optimizer, and
 *   refuse to train together if any differs. Then they take over rank 0's values of the trained variables.
 * - In every step they compare the learning rate and the inner optimizer's options, and every `verify` steps digests of
 *   the weights, the slots and the method's shared state. All ranks refuse a step in which any differs.
 * - Alone, a rank trains as several do: its gradient is compressed, and the method keeps its state. A method that
 *   leaves the gradient of a single rank as it is, such as `average()`, is left out there.
 * - A variable without a gradient counts as having a gradient of zeros. If no rank has a gradient for it, and the
 *   method delivers nothing for it either, the inner optimizer leaves it alone, as without this class.
 * - All ranks must take equally many steps; see `shard`.
 * - If a step fails (a rank is lost, a loss throws, a number is not finite), then weights, slots and the method's state
 *   are as before it, and all ranks that can be told throw. After a lost rank, `rejoin` goes on among the survivors.
 * - A method that asks for the gradient at another point has the loss evaluated once more: dropout then draws another
 *   mask, `trainOnBatch` returns its metrics twice, and what the loss itself passes to `tf.keep` in that evaluation is
 *   disposed of when the next step begins.
 *
 * Memory, made at the first step: one vector of 4 bytes for each trained number, another one if the method reads the
 * parameters, what the method itself needs, and a copy of its state. The weights and slots of before the last step are
 * held on to, so that the step can be taken back (except in groups in which a round succeeds on all ranks or on none).
 *
 * Messages in each step: 28 bytes and a bit for each variable before the method's, and an empty one after them. A
 * method that exchanges every so many steps sends none in the steps between. `group` remains the caller's to close.
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
  /** The name by which saved models know this class. */
  static readonly className: string = "DistributedOptimizer";

  readonly #inner: Optimizer;
  readonly #options: Options;
  readonly #replica: Replica;
  /** The step that was taken last, is being taken, or is prepared by `computeGradients`. */
  #step: Step;
  #busy = false;
  #disposed = false;
  /** Whether this is the optimizer of a loaded model, which knows no ranks. */
  #loaded = false;

  /**
   * Wraps `inner`.
   *
   * @throws {TypeError} if an argument is not what it should be or an option is unknown
   * @throws {RangeError} if the seed or `verify` is not a safe integer ≥ 0
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
    this.#replica = new Replica(inner, checked);
    this.#step = new Step(this.#replica);
  }

  /** How many steps were taken, skipped ones included. */
  override get iterations(): number {
    // Where the prototype is inspected, `this` is no instance.
    return #replica in this ? this.#replica.step : 0;
  }

  /**
   * The inner optimizer's learning rate, where it has one. Setting it sets the inner optimizer's on this rank: set it
   * on all ranks before the same step, or they refuse to take that step.
   */
  get learningRate(): number | undefined {
    return (this.#inner as { readonly learningRate?: number }).learningRate;
  }

  set learningRate(rate: number) {
    this.setLearningRate(rate);
  }

  /**
   * Sets {@linkcode DistributedOptimizer.learningRate}, as the method of that name of `tf.train.sgd` does.
   *
   * @throws {RangeError} if the rate is not a finite number ≥ 0
   */
  setLearningRate(rate: number): void {
    if (!(typeof rate === "number" && rate >= 0 && rate < Infinity)) {
      throw new RangeError(`Cannot set the learning rate: it is ${show(rate)}, expected a finite number ≥ 0`);
    }
    setLearningRate(this.#inner, rate);
  }

  /**
   * Takes one step: evaluates the loss and its gradients, agrees on them with the other ranks, and updates the
   * variables.
   *
   * @param f computes the loss
   * @param varList the variables to train. Default: all that are trainable
   * @returns the loss on this rank's batch if `returnCost`, else null
   * @throws {TypeError} if the group cannot block
   * @throws {TransportError} if a rank is lost
   * @throws {RangeError} if a gradient of any rank is not finite
   */
  override minimize(f: () => Scalar, returnCost = false, varList?: Variable[]): Scalar | null {
    const group = this.#blocking("minimize");
    using _ = this.#enter();
    const step = this.#next({ f, variables: varList });
    return cost(this.#run(step, step.minimize(), group), returnCost);
  }

  /**
   * Does what `minimize` does in a group that is awaited; it takes a blocking group too. Do not call it inside
   * `tf.tidy`, and await one step before the next.
   *
   * @param f computes the loss
   * @param varList the variables to train. Default: all that are trainable
   * @returns the loss on this rank's batch if `returnCost`, else null
   * @throws {TransportError} if a rank is lost
   * @throws {RangeError} if a gradient of any rank is not finite
   */
  async minimizeAsync(f: () => Scalar, returnCost = false, varList?: Variable[]): Promise<Scalar | null> {
    const { group } = this.#replica;
    if (group.size === 1 || isBlocking(group)) return this.minimize(f, returnCost, varList);
    using _ = this.#enter();
    const step = this.#next({ f, variables: varList });
    try {
      return cost(await runAsync(step.minimize(), group, step.gradientAt), returnCost);
    } catch (error) {
      throw step.explained(error);
    }
  }

  /**
   * Agrees on gradients computed elsewhere and has `inner` apply them. A method that asks for the gradient at another
   * point needs `minimize`.
   *
   * @throws {TypeError} if the group cannot block, or a gradient names no variable
   * @throws {TransportError} if a rank is lost
   * @throws {RangeError} if a gradient of any rank is not finite
   */
  override applyGradients(variableGradients: NamedTensorMap | NamedGradient[]): void {
    const group = this.#blocking("applyGradients");
    using _ = this.#enter();
    const step = this.#upcoming();
    this.#run(step, step.apply(toList(variableGradients)), group);
  }

  /**
   * Computes the loss and its gradients on this rank's batch. In a blocking group the ranks take over rank 0's values
   * of the variables in `varList` before the first step.
   *
   * @param f computes the loss
   * @param varList the variables to differentiate by. Default: all that are trainable
   */
  override computeGradients(f: () => Scalar, varList?: Variable[]): {
    value: Scalar;
    grads: NamedTensorMap;
  } {
    const { group, alone } = this.#replica;
    requireLoss("compute gradients", f, varList);
    if (!alone && varList !== undefined && isBlocking(group)) {
      using _ = this.#enter();
      const step = this.#upcoming();
      this.#run(step, step.begin(() => varList), group);
    }
    const compute = () => super.computeGradients(() => scalarLoss("compute gradients", f()), varList);
    return this.#upcoming().forward(compute);
  }

  /**
   * Reads all that this rank needs to go on later, apart from the weights. The vectors are the live ones: write them
   * out before the next step. See {@linkcode saveCheckpoint}.
   *
   * @throws {Error} if a step is under way
   * @throws {TypeError} if a user wrote the inner optimizer's class, and it keeps tensors or arrays where they cannot
   *   be read, for instance in a Map
   */
  getState(): OptimizerState {
    if (this.#busy) throw new Error("Cannot read or replace the state: a step is under way; await minimizeAsync");
    return this.#replica.contents();
  }

  /**
   * Throws what {@linkcode DistributedOptimizer.setState} would throw, and changes nothing.
   *
   * @throws {Error} if the seed, rank, size, method, inner optimizer or layout differs, or if a vector or slot is
   *   missing or has another shape; the message names the first difference
   */
  checkState(state: OptimizerState): void {
    this.#replica.check(state, this.getState());
  }

  /**
   * Goes on where another optimizer with equal options stopped. All ranks must call it with what they got from
   * `getState`. The next step compares it among the ranks and with the variables. If that step refuses it, this
   * optimizer (and the variables given) are as they were before, on all ranks.
   *
   * @param variables the variables that the caller gives other values after this call, so that a refusal can take them
   *   back
   * @throws {Error} as `checkState` does; nothing has been changed then
   */
  setState(state: OptimizerState, variables: readonly Variable[] = []): void {
    const mine = this.getState();
    this.#replica.check(state, mine);
    this.#replica.restore(state, mine, variables);
  }

  /**
   * Goes on in a new group after a `TransportError`. Call it on all survivors, each with its new group. One of them may
   * have ended a step in which another one was lost before it had ended the step. Such a rank takes the step back, bit
   * for bit (weights, slots, the method's state, BatchNorm's averages), so that all stand at the last step which all of
   * them have taken; `iterations` tells which. The group may have another size if the method keeps no state of a rank's
   * own; else the same ranks must meet in the same order.
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
    using _ = this.#enter();
    await runCall("rejoin", this.#replica.rejoin(group, ordinalOver(group)), group);
  }

  #blocking(what: string): BlockingCollective {
    const { group } = this.#replica;
    if (isBlocking(group)) return group;
    if (group.size === 1) return alone(); // there is nobody to wait for
    throw new TypeError(
      `Cannot ${what} with a group that must be awaited: fit, fitDataset, trainOnBatch and minimize block until all ` +
        "have answered. Train in a worker with a blocking group (connect()), or call minimizeAsync",
    );
  }

  /** Makes the next step. */
  #next(loss?: Loss): Step {
    this.#step[Symbol.dispose]();
    return this.#step = new Step(this.#replica, loss);
  }

  /** The step that `computeGradients` prepares and `applyGradients` takes. */
  #upcoming(): Step {
    return this.#step.begun ? this.#next() : this.#step;
  }

  #run<R>(step: Step, exchange: Exchange<R>, group: BlockingCollective): R {
    try {
      return runBlocking(exchange, group, step.gradientAt);
    } catch (error) {
      throw step.explained(error);
    }
  }

  /** Begins what no second call may do at the same time, and returns what ends it. */
  #enter(): Disposable {
    if (this.#disposed) {
      throw new Error("Cannot start a step: the optimizer has been disposed of, expected a new DistributedOptimizer");
    }
    if (this.#busy) throw new Error("Cannot start a step: the step before has not ended; await minimizeAsync");
    if (this.#loaded) requireOneLaunched();
    this.#busy = true;
    return { [Symbol.dispose]: () => void (this.#busy = false) };
  }

  /** Disposes of `inner`'s slots. The group stays open. */
  override dispose(): void {
    this.#disposed = true;
    this.#step[Symbol.dispose]();
    this.#replica.dispose();
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
    this.#replica.step = this.#inner.iterations;
  }

  /**
   * The optimizer of a loaded model: `inner` in a group of one, because a saved model has no group. Compile the model
   * again to train it among ranks: on several ranks that a launcher has started, this optimizer refuses to train.
   *
   * @throws {Error} if tfjs does not know the class of `inner`
   */
  static fromConfig<T extends Optimizer>(
    cls: new (inner: Optimizer, options: DistributedOptimizerOptions) => T,
    config: ReturnType<Optimizer["getConfig"]>,
  ): T {
    const seed = config["seed"] as number;
    const loaded = new cls(loadInner(config), { method: average(), group: alone(), seed });
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
