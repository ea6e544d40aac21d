/**
 * What a rank holds from step to step. The words for it, here and in the files beside this one:
 *
 * | word       | what it is                                                                                         |
 * | ---------- | -------------------------------------------------------------------------------------------------- |
 * | weights    | the variables of the model, those that are not trained (BatchNorm's averages) included             |
 * | bucket     | one vector of the numbers of all trained weights, or of their gradients, in the layout's order     |
 * | slots      | the variables in which the inner optimizer remembers, such as Adam's moments                       |
 * | state      | the vectors in which the method remembers, such as the error of error feedback                     |
 * | snapshot   | the values of variables at one moment, to go back to; it copies nothing                            |
 * | replica    | weights, slots and state of one rank; all but the rank's own part of the state is equal on all     |
 * | checkpoint | a replica in a file; its contents without the weights are an `OptimizerState`                      |
 * | step       | one update of the weights; as a number, how many steps were taken before it                        |
 *
 * @module
 */

import type { Exchange } from "../../transport/round.ts";
import { context } from "../methods/context.ts";
import { describeMethod } from "../methods/describe.ts";
import type { Context, State, Workspace } from "../methods/method.ts";
import { workspace } from "../methods/workspace.ts";
import { compareFacts } from "./agreement/compare.ts";
import { type Group, ordinalOver } from "./agreement/group.ts";
import { beginsAnew, commonStep, exchangeStandings, requireFits } from "./agreement/rejoin.ts";
import { compareReplicas, digestsOfReplica, type ReplicaDigests } from "./agreement/replicas.ts";
import { takeOver } from "./agreement/take_over.ts";
import { commonError } from "./agreement/vote.ts";
import type { Options } from "./arguments.ts";
import { firstFacts, rejoinFacts, shapeFacts } from "./facts.ts";
import { checkState, checkVectors, type OptimizerState, restoreState } from "./optimizer_state.ts";
import { Restoring } from "./restoring.ts";
import { Undo } from "./undo.ts";
import { Bucket, layoutOf } from "./variables/bucket.ts";
import { checkSlots, readSlots, requireStorable, writeSlots } from "./variables/slots.ts";
import type { Optimizer, Variable } from "./variables/tfjs.ts";
import { checkTrainable, variable } from "./variables/variables.ts";

/** What a rank holds from step to step. Before the first step it has neither a bucket nor a state. */
export class Replica {
  /** The inner optimizer. */
  readonly inner: Optimizer;
  /** The options of the optimizer. */
  readonly options: Options;
  /** The connected ranks. */
  group: Group;
  /** The number of the optimizer among those over the group. */
  ordinal: number;
  /** How many steps were taken, skipped ones included. */
  step = 0;
  /** The trained weights, or their gradients, as one vector. */
  bucket: Bucket | undefined;
  /** What the method remembers. */
  state: State | undefined;
  /** A checkpoint that was restored and that no step has compared among the ranks yet. */
  readonly restoring = new Restoring();
  /** The moment before the last step. */
  readonly undo = new Undo();
  /**
   * A variable whose gradient was not finite in a step between two exchanges, which the other ranks have not heard of;
   * −1 if there is none.
   */
  unreported = -1;
  /** Where a step between two exchanges copies the state to. */
  readonly aside: Workspace = workspace();
  /** What the method works in. */
  readonly #workspace = workspace();
  /** What the method reads the parameters from, made when it first does. */
  #parameters: Float32Array | undefined;

  /** The replica of an optimizer that has taken no step. */
  constructor(inner: Optimizer, options: Options) {
    this.inner = inner;
    this.options = options;
    this.group = options.group;
    this.ordinal = ordinalOver(options.group);
  }

  /** Whether this rank has nobody to agree with, and a method that leaves its gradient as it is. */
  get alone(): boolean {
    const { identityAlone = false, yields = "gradient" } = this.options.method;
    return this.group.size === 1 && identityAlone && yields === "gradient";
  }

  /** Whether the ranks exchange something in the next step. Between two exchanges each rank is on its own. */
  get meets(): boolean {
    return (this.step + 1) % (this.options.method.every ?? 1) === 0;
  }

  /** The trained variables, in the order of the bucket. */
  get variables(): readonly Variable[] {
    return this.bucket!.layout.names.map(variable);
  }

  /** The digests of what must be equal on all ranks. */
  digests(): ReplicaDigests {
    return digestsOfReplica(this.variables, this.inner, this.state!.shared);
  }

  /**
   * What the method is told of the next step.
   *
   * @param early whether the method's `ahead` has been run in this step
   */
  context(early: boolean): Context {
    const { step, group: { rank, size }, options: { seed } } = this, { layout } = this.bucket!;
    const { learningRate } = this.inner as { readonly learningRate?: number };
    const made = context({ seed, step, rank, size, early, layout, workspace: this.#workspace, learningRate });
    // The parameters are read only if the method asks for them, and once in a step.
    let parameters: Float32Array | undefined;
    const get = () => parameters ??= this.#readParameters();
    return Object.defineProperty(made, "parameters", { enumerable: true, get });
  }

  #readParameters(): Float32Array {
    const { bucket, variables } = this, { size } = bucket!.layout;
    if (this.#parameters?.length !== size) this.#parameters = new Float32Array(size);
    return bucket!.gather(variables, this.#parameters);
  }

  /**
   * Before the first step: all ranks compare what they are to train and how, and take over rank 0's weights and the
   * vectors of a restored checkpoint that only rank 0 has.
   *
   * @param variables the variables to train
   * @param refused called if the ranks differ and a restored checkpoint has been taken back, with the variables that
   *   were given values along with it
   * @throws {Error} on all ranks alike, if they differ
   */
  *begin(variables: readonly Variable[], refused: () => void): Exchange {
    const { group, inner, options, restoring, step, ordinal } = this, { method } = options, { rank, size } = group;
    const restored = restoring.contents;
    checkTrainable(variables);
    const bucket = new Bucket(layoutOf(variables));
    let state: State | undefined, refusal: Error | undefined;
    try {
      state = restoring.prepare(bucket.layout, method, size, inner);
    } catch (error) {
      refusal = error as Error;
    }
    try {
      // Whether this rank refuses its checkpoint is one of the facts, so that all ranks refuse if one does.
      const progress = { step, ordinal, group, restored, refused: refusal };
      yield* compareFacts("train together", firstFacts(variables, inner, options, progress));
      if (refusal !== undefined) throw commonError(refusal);
    } catch (error) {
      this.#takeBack(refused);
      throw error;
    }
    // With a method that owns the parameters, the weights of the ranks may have differed when the checkpoint was
    // written.
    if (!(restored?.layout && method.yields === "parameters")) yield* takeOver(bucket, variables, rank);
    if (restored?.layout) yield* restoreState(restored, state!, rank);
    Object.assign(this, { bucket, state });
    restoring.begun = "alone";
    if (!this.meets) restoring.confirm();
  }

  /**
   * In a group of one that has nobody to compare a restored checkpoint with: compares it with the variables.
   *
   * @throws {Error} if the checkpoint does not go with them; `refused` is then called as by `begin`
   */
  confirmAlone(variables: readonly Variable[], refused: () => void): void {
    if (this.restoring.contents === undefined) return;
    try {
      this.restoring.prepare(layoutOf(variables), this.options.method, 1, this.inner);
    } catch (error) {
      this.#takeBack(refused);
      throw error;
    }
    this.restoring.confirm();
  }

  /** Takes back a restored checkpoint, if there is one: everything is again as it was before it. */
  #takeBack(refused: () => void): void {
    const before = this.restoring.takeBack(this.inner);
    if (before === undefined) return;
    this.step = before.contents.step;
    this.state = before.state;
    this.bucket = before.bucket;
    refused();
  }

  /**
   * What a checkpoint of this moment holds apart from the weights. Its vectors are the live ones.
   *
   * @throws {TypeError} if the inner optimizer keeps tensors or arrays where they cannot be read
   */
  contents(): OptimizerState {
    const { inner, options, step, group: { rank, size }, bucket, state, restoring: { contents: restored } } = this;
    requireStorable(inner);
    const layout = bucket?.layout ?? restored?.layout;
    return {
      step,
      seed: options.seed,
      rank,
      size,
      method: describeMethod(options.method),
      ...layout ? { layout } : {},
      local: state?.local ?? restored?.local ?? {},
      shared: state?.shared ?? restored?.shared ?? {},
      inner: readSlots(inner),
    };
  }

  /**
   * Compares a checkpoint with this replica.
   *
   * @param mine what a checkpoint of this moment holds
   * @throws {Error} that names the first difference
   */
  check(contents: OptimizerState, mine: OptimizerState): void {
    const { layout } = contents;
    checkState(contents, this.bucket ? mine : { ...mine, layout: undefined });
    if (layout) checkVectors(contents, this.options.method.init(layout, mine.size));
    checkSlots(this.inner, contents.inner, layout?.shapes);
  }

  /**
   * Goes on from a checkpoint: the inner optimizer at once, the method in the next step, which makes the method's
   * vectors and fills them.
   *
   * @param before what a checkpoint of this moment holds
   * @param variables the variables that the caller gives other values after this call
   */
  restore(contents: OptimizerState, before: OptimizerState, variables: readonly Variable[]): void {
    const { state, bucket, restoring: { contents: restored } } = this;
    this.restoring.begin(contents, { contents: before, state, bucket, restored }, variables);
    this.step = contents.step;
    this.bucket = this.state = undefined;
    this.undo.drop();
    writeSlots(this.inner, contents.inner);
  }

  /**
   * Meets the ranks of a new group, and goes back to the last step that all of them have taken.
   *
   * @param ordinal the number of the optimizer among those over the new group
   * @throws {Error} on all ranks alike, if they cannot go on together
   */
  *rejoin(group: Group, ordinal: number): Exchange {
    const { inner, restoring, undo, step, group: { rank, size }, options, options: { method } } = this;
    yield* compareFacts("rejoin", rejoinFacts(inner, options, ordinal));
    const back = undo.step ?? null, keeps = restoring.keeps(this.state), { begun } = restoring;
    const standings = yield* exchangeStandings({ step, rank, size, back, keeps, begun });
    const common = commonStep(standings);
    if (beginsAnew(standings)) this.bucket = this.state = undefined, restoring.begun = "no";
    else yield* compareFacts("rejoin", shapeFacts(this.bucket?.layout.shapes));
    const { bucket } = this;
    if (bucket && group.size !== size) {
      requireFits(this.state!, method.init(bucket.layout, group.size), size, group.size);
    }
    if (common !== step) this.step = undo.back();
    // Between two exchanges of a method that owns the parameters, the weights of the ranks differ.
    if (bucket && !(method.yields === "parameters" && common % (method.every ?? 1) !== 0)) {
      yield* compareReplicas("rejoin", this.digests(), bucket.layout.names);
    }
    this.group = group;
    this.ordinal = ordinal;
    undo.drop();
    this.unreported = -1;
  }

  /** Lets go of all tensors that are held. */
  dispose(): void {
    this.undo.drop();
    this.restoring.confirm();
  }
}
