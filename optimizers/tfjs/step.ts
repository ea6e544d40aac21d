/** The steps of a DistributedOptimizer, as exchanges. @module */

import * as tf from "../../dependencies/tfjs.ts";
import type { Exchange } from "../../transport/round.ts";
import { applyFinite } from "./update.ts";
import type { Options } from "./arguments.ts";
import { Bucket, layoutOf } from "./variables/bucket.ts";
import { compareFacts } from "./agreement/compare.ts";
import { conclude, concludeAndCompare, isVerified } from "./agreement/conclude.ts";
import { NotFiniteError } from "../methods/parts/finite.ts";
import { forwardPass } from "./variables/forward_pass.ts";
import { type Group, ordinalOver } from "./agreement/group.ts";
import { MethodAtWork } from "./replica.ts";
import { commit, copyOf } from "../methods/parts/inner_method.ts";
import type { Layout, State } from "../methods/method.ts";
import { workspace } from "../methods/workspace.ts";
import { beginsAnew, commonStep, exchangePositions, requireFits } from "./agreement/rejoin.ts";
import { requireLoss, scalarLoss } from "./require.ts";
import { compareReplicas, hashOf, replicaOf } from "./agreement/replicas.ts";
import { Restoring } from "./restoring.ts";
import type { Snapshot } from "./variables/snapshot.ts";
import { type OptimizerState, restoreState } from "./optimizer_state.ts";
import { exchangeStatus, explainLeave } from "./agreement/opening.ts";
import type { NamedTensorMap, Optimizer, Scalar, Variable } from "./variables/tfjs.ts";
import { firstFacts, rejoinFacts, shapeFacts, stepFacts } from "./facts.ts";
import { Undo } from "./undo.ts";
import {
  checkTrainable,
  inOrder,
  named,
  type NamedGradient,
  requireLive,
  takeOver,
  toList,
  variable,
} from "./variables/variables.ts";
import { commonError, mayBeSkipped, refusal, tellingOthers, type Votes, watch } from "./agreement/vote.ts";

/** The loss of a step, its gradients, and what its forward pass wrote to as it was before. */
type Evaluated = { readonly value: Scalar; readonly grads: NamedTensorMap; readonly before: Snapshot };

/** Which variables have a gradient on any rank, and whether this rank's gradient was finite. */
type Agreed = { readonly present: readonly boolean[]; readonly finite: boolean };

/**
 * What a rank knows of the training under way, and its steps. A step consists of
 *
 * 1. the loss and its gradients, and meanwhile what of the method's exchange needs nothing of them;
 * 2. the status: all ranks are in the same step and alike in what decides it, and all gradients are finite;
 * 3. the method's exchange;
 * 4. the vote: each rank says whether what came of it can be applied (most say so by an empty message, while the inner
 *    optimizer works). What one rank cannot apply, all take back.
 */
export class Training {
  /** The connected ranks. */
  group: Group;
  /** Steps taken, skipped ones included. */
  step = 0;
  /** The method, its variables and its state. */
  readonly work: MethodAtWork;
  /** What a checkpoint said of a step not yet taken. */
  readonly restoring = new Restoring();

  readonly #inner: Optimizer;
  readonly #options: Options;
  #ordinal: number;
  /** Where the method's state is copied to in steps between exchanges. */
  readonly #aside = workspace();
  readonly #undo = new Undo();
  /** A variable whose gradient was not finite in a step that the other ranks have not heard of, or −1. */
  #unreported = -1;
  /** Whether the method's `ahead` has been run in the step under way. */
  #early = false;
  /** Whether the ranks are being asked for their status: one that does not answer may have ended. */
  #opening = false;
  /** Whether the step under way has taken back a restored state, BatchNorm's averages included. */
  #returned = false;
  /** What the forward passes of `computeGradients` have written to, as it was before. */
  readonly #forward: Snapshot[] = [];

  /** A training that has not begun. */
  constructor(inner: Optimizer, options: Options) {
    this.#inner = inner;
    this.group = options.group;
    this.#options = options;
    this.#ordinal = ordinalOver(options.group);
    this.work = new MethodAtWork(inner, options);
  }

  /** Whether this rank has nobody to agree with, and a method that leaves its gradient as it is. */
  get alone(): boolean {
    const { identityAlone = false, yields = "gradient" } = this.#options.method;
    return this.group.size === 1 && identityAlone && yields === "gradient";
  }

  /** Whether the ranks meet in the step under way. */
  get #meets(): boolean {
    return (this.step + 1) % (this.#options.method.every ?? 1) === 0;
  }

  /** An error that a step has thrown, with what is known of its reason. */
  explained(error: unknown): unknown {
    const opening = this.#opening;
    this.#opening = false;
    return opening ? explainLeave(error, this.step, this.group.rank) : error;
  }

  /** Lets go of all tensors that it holds. */
  dispose(): void {
    this.work.elsewhere.tidy();
    this.#undo.drop();
    this.#forget();
    this.restoring.confirm();
  }

  /** The next step begins from a restored state. The method's vectors are made, and filled, before it. */
  restore(state: OptimizerState, before: OptimizerState, variables: readonly Variable[]): void {
    const { work: { state: memory, bucket }, restoring: { state: restored } } = this;
    this.restoring.begin(state, { state: before, memory, bucket, restored }, variables);
    this.step = state.step;
    this.work.bucket = this.work.state = undefined;
    this.#undo.drop();
  }

  /** Everything is again as it was before a state was restored that this step refuses. */
  #takeBack(): void {
    const before = this.restoring.takeBack(this.#inner);
    if (before === undefined) return;
    this.step = before.state.step;
    this.work.state = before.memory;
    this.work.bucket = before.bucket;
    this.#returned = true;
  }

  /** The loss, its gradients, and the step. */
  *minimize(f: () => Scalar, varList?: readonly Variable[]): Exchange<Scalar> {
    this.#forget();
    this.work.elsewhere.tidy();
    this.#returned = false;
    const { value, grads, before } = yield* this.#telling(this.#evaluate(f, varList)), forward = [before];
    let kept = false;
    try {
      this.work.elsewhere.loss = { f, variables: varList };
      const given = varList?.map(({ name }) => ({ name, tensor: grads[name] })) ?? toList(grads);
      yield* this.#take(given, forward);
      kept = true;
      return value;
    } finally {
      this.work.elsewhere.loss = undefined;
      this.#early = false;
      tf.dispose(grads);
      if (!kept) value.dispose();
    }
  }

  /** The step with gradients that were computed elsewhere. */
  *apply(given: readonly NamedGradient[]): Exchange {
    const forward = this.#forward.splice(0);
    this.#returned = false;
    let begun = false;
    try {
      if (!this.alone) yield* this.#telling(this.begin(() => named(given)));
      begun = true;
    } finally {
      if (!begun) this.#end(forward, false);
    }
    yield* this.#take(given, forward);
  }

  /** Runs a forward pass whose gradients are applied later, and remembers what it wrote to until then. */
  forward<R>(pass: () => R): R {
    const { result, before } = forwardPass(this.#inner, pass);
    const held = new Set(this.#forward.flatMap(({ variables }) => variables));
    before.narrow(before.variables.filter((variable) => !held.has(variable)));
    if (before.variables.length > 0) this.#forward.push(before);
    return result;
  }

  #forget(): void {
    for (const snapshot of this.#forward.splice(0)) snapshot[Symbol.dispose]();
  }

  /** Ends a step: what its forward passes wrote stays, or is taken back unless a restored state has been. */
  #end(forward: readonly Snapshot[], stays: boolean): void {
    if (!stays && !this.#returned) { for (const snapshot of forward.toReversed()) snapshot.restore(); }
    if (!this.#undo.holds(forward)) { for (const snapshot of forward) snapshot[Symbol.dispose](); }
  }

  /** Tells the others if this part of a step fails here alone, wherever they are in a round that can be told in. */
  #telling<R>(exchange: Exchange<R>): Exchange<R> {
    if (this.work.bucket !== undefined && !this.#meets) return exchange;
    return tellingOthers(exchange, (votes) => refusal(this.step, votes, this.#options.method.name));
  }

  /** The loss and its gradients; what needs nothing of them goes on while they are evaluated. */
  *#evaluate(f: () => Scalar, varList: readonly Variable[] | undefined): Exchange<Evaluated> {
    const doing = `take step ${this.step}`, begins = !this.alone && this.work.bucket === undefined;
    requireLoss(doing, f, varList);
    if (this.alone && varList) checkTrainable(varList);
    if (begins && varList !== undefined) yield* this.begin(() => varList);
    const ahead = this.work.state &&
      this.#options.method.ahead?.(this.work.state, this.work.context(this.step, this.group, this.#early));
    let evaluated: Evaluated | undefined, failure: { readonly error: unknown } | undefined;
    const pass = () => {
      const { result, before } = forwardPass(
        this.#inner,
        () => tf.variableGrads(() => scalarLoss(doing, f()), varList as Variable[]),
      );
      evaluated = { ...result, before };
    };
    const undo = () => {
      if (evaluated === undefined) return;
      tf.dispose([evaluated.value, evaluated.grads]);
      this.#end([evaluated.before], false);
      evaluated = undefined;
    };
    try {
      let early = ahead?.next([]);
      const reply = early && !early.done ? yield early.value : [];
      try {
        pass();
      } catch (error) {
        failure = { error }; // what is under way must end before the others can be told
      }
      if (early && !early.done) early = ahead!.next(reply);
      while (early && !early.done) early = ahead!.next(yield early.value);
      if (failure) throw failure.error;
      if (begins && varList === undefined) {
        // Which variables there are is only known now; the gradients were taken at this rank's own weights.
        yield* this.begin(() => toList(evaluated!.grads).map(({ name }) => variable(name)));
        undo();
        pass();
      }
      this.#early = early !== undefined;
      const done = evaluated!;
      evaluated = undefined;
      return done;
    } finally {
      ahead?.return();
      undo();
    }
  }

  /** Before the first step: all ranks take over rank 0's weights, and what of a checkpoint only rank 0 has. */
  *begin(listed: () => readonly Variable[]): Exchange {
    if (this.work.bucket !== undefined) return;
    const variables = listed(), { method } = this.#options, { rank, size } = this.group;
    const restored = this.restoring.state;
    checkTrainable(variables);
    const bucket = new Bucket(layoutOf(variables));
    let state: State | undefined, refused: Error | undefined;
    try {
      state = this.restoring.prepare(bucket.layout, method, size, this.#inner);
    } catch (error) {
      refused = error as Error;
    }
    try {
      // Every rank's verdict on what it restored travels along, so that all refuse if one does.
      const { step, group } = this, standing = { step, ordinal: this.#ordinal, group };
      const facts = firstFacts(variables, this.#inner, this.#options, standing, restored, refused);
      yield* compareFacts("train together", facts);
      if (refused !== undefined) throw commonError(refused);
    } catch (error) {
      // After a difference is found nothing has been changed on any rank.
      this.#takeBack();
      throw error;
    }
    // Methods that own the parameters may have let them differ when the checkpoint was written.
    if (!(restored?.layout && method.yields === "parameters")) yield* takeOver(bucket, variables, rank);
    if (restored?.layout) yield* restoreState(restored, state!, rank);
    Object.assign(this.work, { state, bucket });
    this.restoring.begun = "alone";
    if (!this.#meets) this.restoring.confirm();
  }

  /** The step, given the gradients; what its forward passes wrote is taken back with it. */
  *#take(given: readonly NamedGradient[], forward: readonly Snapshot[]): Exchange {
    let applied = false;
    try {
      if (this.alone) {
        applied = this.#applyAlone(given);
      } else {
        const agreed = yield* this.#telling(this.#agree(given));
        if (agreed) applied = this.#meets ? yield* this.#together(agreed, forward) : yield* this.#apart(agreed);
      }
      this.step++;
    } finally {
      this.#end(forward, applied);
    }
  }

  /** The step of a group of one whose method leaves the gradient as it is. */
  #applyAlone(given: readonly NamedGradient[]): boolean {
    // There are no other ranks that could have restored another state: it is compared with the variables.
    const variables = named(given);
    checkTrainable(variables);
    if (this.restoring.state) this.#confirmAlone(layoutOf(variables));
    return applyFinite(this.#inner, given, this.step, this.#options.nonFinite);
  }

  #confirmAlone(layout: Layout): void {
    try {
      this.restoring.prepare(layout, this.#options.method, 1, this.#inner);
    } catch (error) {
      this.#takeBack();
      throw error;
    }
    this.restoring.confirm();
  }

  /** Which variables have a gradient on any rank, and whether this rank's is finite; undefined: the step is to be skipped. */
  *#agree(given: readonly NamedGradient[]): Exchange<Agreed | undefined> {
    const bucket = this.work.bucket!, { step } = this, { names } = bucket.layout, tensors = inOrder(given, names);
    requireLive(step, names);
    bucket.gather(tensors);
    const present = tensors.map((tensor) => tensor !== null && tensor !== undefined);
    const nonFinite = bucket.firstNonFinite();
    if (!this.#meets) {
      // The ranks are on their own. A gradient that is not finite is left out, and reported when they next meet.
      if (nonFinite >= 0) bucket.vector.fill(0), this.#report(nonFinite);
      return { present, finite: nonFinite < 0 };
    }
    const report = nonFinite >= 0 ? nonFinite : this.#unreported, equal = () => stepFacts(this.#inner, this.group);
    const mine = { optimizer: this.#ordinal, step, nonFinite: report, hash: hashOf(equal()), present };
    this.#opening = true;
    const statuses = yield* exchangeStatus(mine, equal);
    this.#opening = false;
    this.#unreported = -1;
    this.restoring.confirm(); // every rank has begun
    const rank = statuses.findIndex(({ nonFinite }) => nonFinite >= 0);
    if (rank < 0) {
      return { present: present.map((_, i) => statuses.some(({ present }) => present[i])), finite: true };
    }
    if (this.#options.nonFinite === "skip") return undefined;
    const i = statuses[rank]!.nonFinite, what = `the gradient of variable ${i} (${names[i]})`;
    throw refusal(step, Object.assign([], { length: statuses.length, [rank]: { kind: "brought", what } }) as Votes, "");
  }

  /** Remembers to report a number that is not finite when the ranks next meet. */
  #report(variable: number): void {
    if (this.#options.nonFinite === "throw" && this.#unreported < 0) this.#unreported = variable;
  }

  /** The exchange and the vote. Returns false for a step that all ranks leave out; throws for one that they refuse. */
  *#together(agreed: Agreed, forward: readonly Snapshot[]): Exchange<boolean> {
    const { step, group, work } = this, { method, nonFinite } = this.#options, { bucket, state } = work;
    // Every rank has taken the step before: nobody will be asked to take that one back any more.
    this.#undo.take(step, this.#inner, work.variables, state!, forward);
    this.work.elsewhere.clear();
    let taken = false;
    try {
      const exchange = method.reduce(bucket!.vector, state!, this.work.context(this.step, this.group, this.#early));
      const outcome = yield* watch(exchange, method.name, group.rank, () => work.bringsNonFinite());
      const objection = work.elsewhere.objection ?? outcome.objection ?? work.finds();
      const ended = { step, group, inner: this.#inner, work, present: agreed.present };
      const { votes, error } = outcome.votes
        ? outcome
        : objection === undefined && isVerified(step, group.size, this.#options)
        ? yield* concludeAndCompare(ended)
        : yield* conclude(ended, objection);
      taken = votes === undefined;
      if (votes === undefined || (nonFinite === "skip" && mayBeSkipped(votes))) return taken;
      const failed = votes[group.rank]?.kind === "failed", own = error ?? work.elsewhere.error;
      throw failed && own !== undefined ? own : refusal(step, votes, method.name);
    } finally {
      if (!taken) this.#undo.back();
      else if (group.uniform) this.#undo.drop(); // no rank can be left behind
    }
  }

  /** A step in which the ranks do not meet. What is not finite is left out, and reported when they meet. */
  *#apart({ present, finite }: Agreed): Exchange<boolean> {
    const bucket = this.work.bucket!, state = this.work.state!, before = copyOf(state, this.#aside, "state");
    this.work.elsewhere.clear();
    let taken = false;
    try {
      yield* this.#options.method.reduce(
        bucket.vector,
        state,
        this.work.context(this.step, this.group, this.#early),
      );
      if (this.work.elsewhere.error !== undefined) throw this.work.elsewhere.error;
      taken = !this.work.elsewhere.objection && this.work.finds() === undefined;
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
    } finally {
      if (!taken) commit(before, state);
    }
    if (taken) this.work.write(present.map(() => true));
    else this.#report(Math.max(0, bucket.firstNonFinite()));
    return taken && finite;
  }

  /** Meets the ranks of a new group, and goes back to the last step that all of them have taken. */
  *rejoin(group: Group, ordinal: number): Exchange {
    const { work, restoring, step, group: { rank, size } } = this, { method } = this.#options;
    yield* compareFacts("rejoin", rejoinFacts(this.#inner, this.#options, ordinal));
    const back = this.#undo.step ?? null, keeps = restoring.keeps(work.state), { begun } = restoring;
    const positions = yield* exchangePositions({ step, rank, size, back, keeps, begun });
    const common = commonStep(positions);
    if (beginsAnew(positions)) work.bucket = work.state = undefined, restoring.begun = "no";
    else yield* compareFacts("rejoin", shapeFacts(work.bucket?.layout.shapes));
    const { bucket } = work;
    if (bucket && group.size !== size) {
      requireFits(work.state!, method.init(bucket.layout, group.size), size, group.size);
    }
    if (common !== step) this.step = this.#undo.back();
    // Between two exchanges the ranks of some methods have parameters of their own.
    if (bucket && !(method.yields === "parameters" && common % (method.every ?? 1) !== 0)) {
      const replica = replicaOf(work.variables, this.#inner, work.state!.shared);
      yield* compareReplicas("rejoin", replica, bucket.layout.names);
    }
    this.group = group;
    this.#ordinal = ordinal;
    this.#undo.drop();
    this.#unreported = -1;
  }
}
