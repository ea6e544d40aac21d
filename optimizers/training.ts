/** The steps of a DistributedOptimizer, as exchanges. @module */

import * as tf from "../dependencies/tfjs.ts";
import { allGather, type Exchange, type GradientOracle } from "../transport/round.ts";
import type { Options } from "./arguments.ts";
import { compareFacts } from "./compare.ts";
import { Bucket, layoutDigest, layoutOf } from "./bucket.ts";
import { allFinite, NotFiniteError } from "./finite.ts";
import { notFinite } from "./finite_state.ts";
import { forwardPass } from "./forward_pass.ts";
import { GradientElsewhere } from "./gradient_elsewhere.ts";
import { type Group, ordinalOver } from "./group.ts";
import { commit, copyOf } from "./nested.ts";
import { numbersOf } from "./numbers.ts";
import { type Context, context, type Layout, type State, workspace } from "./reducer.ts";
import { commonStep, exchangePositions, requireFits } from "./rejoin.ts";
import { compareReplicas, hashOf, replicaOf } from "./replicas.ts";
import { Restoring } from "./restoring.ts";
import { dataKey, sharedOut } from "./shared_out.ts";
import { readSlots, slotsDigest } from "./slots.ts";
import type { Snapshot } from "./snapshot.ts";
import { type OptimizerState, restoreState } from "./state.ts";
import { exchangeStatus } from "./status.ts";
import type { NamedTensorMap, Optimizer, Scalar, Variable } from "./tfjs.ts";
import { Undo } from "./undo.ts";
import {
  checkTrainable,
  inOrder,
  type NamedGradient,
  otherType,
  replace,
  subtract,
  takeOver,
  toList,
  variable,
} from "./variables.ts";
import {
  commonError,
  encodeObjection,
  mayBeSkipped,
  type Objection,
  objectionsIn,
  refusal,
  tellingOthers,
  type Votes,
  watch,
} from "./vote.ts";

/** The loss of a step, its gradients, and what its forward pass wrote to as it was before. */
interface Evaluated {
  readonly value: Scalar;
  readonly grads: NamedTensorMap;
  readonly before: Snapshot;
}

/** What the ranks have agreed on before a step's exchange. */
interface Agreed {
  /** Which variables have a gradient on any rank. */
  readonly present: readonly boolean[];
  /** Whether this rank's gradient was finite. */
  readonly finite: boolean;
}

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
  /** The variables as one vector; undefined before the first step. */
  bucket: Bucket | undefined;
  /** The method's state; undefined before the first step. */
  state: State | undefined;
  /** What a checkpoint said of a step not yet taken. */
  readonly restoring = new Restoring();
  /** Whether the ranks are being asked for their status: one that does not answer may have ended. */
  opening = false;

  readonly #inner: Optimizer;
  readonly #options: Options;
  #ordinal: number;
  readonly #workspace = workspace();
  /** Where the method's state is copied to in steps between exchanges. */
  readonly #aside = workspace();
  readonly #undo = new Undo();
  readonly #elsewhere: GradientElsewhere;
  #parameters: Float32Array | undefined;
  /** A variable whose gradient was not finite in a step that the other ranks have not heard of, or −1. */
  #unreported = -1;
  /** Whether the reducer's `ahead` has been run in the step under way. */
  #early = false;
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
    this.#elsewhere = new GradientElsewhere(inner, options.reducer.name, options.dataLoss);
  }

  /** Whether this rank has nobody to agree with, and a method that leaves its gradient as it is. */
  get alone(): boolean {
    const { identityAlone = false, yields = "gradient" } = this.#options.reducer;
    return this.group.size === 1 && identityAlone && yields === "gradient";
  }

  /** Whether the ranks meet in the step under way. */
  get #meets(): boolean {
    return (this.step + 1) % (this.#options.reducer.every ?? 1) === 0;
  }

  /** Lets go of all tensors that it holds. */
  dispose(): void {
    this.#elsewhere.tidy();
    this.#undo.drop();
    this.#forget();
    this.restoring.confirm();
  }

  /** The next step begins from a restored state. The method's vectors are made, and filled, before it. */
  restore(state: OptimizerState, before: OptimizerState, variables: readonly Variable[]): void {
    const { state: memory, bucket, restoring: { state: restored } } = this;
    this.restoring.begin(state, { state: before, memory, bucket, restored }, variables);
    this.step = state.step;
    this.bucket = this.state = undefined;
    this.#undo.drop();
  }

  /** Everything is again as it was before a state was restored that this step refuses. */
  #takeBack(): void {
    const before = this.restoring.takeBack(this.#inner);
    if (before === undefined) return;
    this.step = before.state.step;
    this.state = before.memory;
    this.bucket = before.bucket;
    this.#returned = true;
  }

  /** The loss, its gradients, and the step. */
  *minimize(f: () => Scalar, varList?: readonly Variable[]): Exchange<Scalar> {
    this.#forget();
    this.#elsewhere.tidy();
    this.#returned = false;
    const { value, grads, before } = yield* this.#telling(this.#evaluate(f, varList)), forward = [before];
    let kept = false;
    try {
      this.#elsewhere.loss = { f, variables: varList };
      const given = varList?.map(({ name }) => ({ name, tensor: grads[name] })) ?? toList(grads);
      yield* this.#take(given, forward);
      kept = true;
      return value;
    } finally {
      this.#elsewhere.loss = undefined;
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
      if (!this.alone) yield* this.#telling(this.begin(() => given.map(({ name }) => variable(name))));
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
    if (this.bucket !== undefined && !this.#meets) return exchange;
    return tellingOthers(exchange, (votes) => refusal(this.step, votes, this.#options.reducer.name));
  }

  /** The loss and its gradients; what needs nothing of them goes on while they are evaluated. */
  *#evaluate(f: () => Scalar, varList: readonly Variable[] | undefined): Exchange<Evaluated> {
    const begins = !this.alone && this.bucket === undefined;
    if (begins && varList !== undefined) yield* this.begin(() => varList);
    const ahead = this.state && this.#options.reducer.ahead?.(this.state, this.#context());
    let evaluated: Evaluated | undefined, failure: { readonly error: unknown } | undefined;
    const pass = () => {
      const { result, before } = forwardPass(this.#inner, () => tf.variableGrads(f, varList as Variable[]));
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
    if (this.bucket !== undefined) return;
    const variables = listed(),
      { reducer } = this.#options,
      { rank, size } = this.group,
      restored = this.restoring.state;
    checkTrainable(variables);
    const bucket = new Bucket(layoutOf(variables));
    let state: State | undefined, refused: Error | undefined;
    try {
      state = this.restoring.prepare(bucket.layout, reducer, size, this.#inner);
    } catch (error) {
      refused = error as Error;
    }
    try {
      // Every rank's verdict on what it restored travels along, so that all refuse if one does.
      yield* compareFacts("train together", this.#facts(variables, bucket.layout, refused));
      if (refused !== undefined) throw commonError(refused);
    } catch (error) {
      // After a difference is found nothing has been changed on any rank.
      this.#takeBack();
      throw error;
    }
    // Methods that own the parameters may have let them differ when the checkpoint was written.
    if (!(restored?.layout && reducer.yields === "parameters")) yield* takeOver(bucket, variables, rank);
    if (restored?.layout) yield* restoreState(restored, state!, rank);
    this.restoring.confirm();
    this.state = state;
    this.bucket = bucket;
  }

  /** What must be equal on all ranks for their replicas to stay equal. */
  #facts(variables: readonly Variable[], { shapes }: Layout, refused: Error | undefined): Record<string, unknown> {
    const { reducer: { name, options, yields = "gradient" }, seed, nonFinite, verify, dataLoss } = this.#options;
    const inner = readSlots(this.#inner), { layout, digests } = this.restoring.state ?? {};
    return {
      // As text, so that a difference is told as two whole shapes.
      variables: shapes.map((shape, i) => `${otherType(variables[i]!)}[${shape.join(", ")}]`),
      step: this.step,
      seed,
      reducer: { name, options, yields },
      nonFinite,
      verify,
      dataLoss: dataLoss === undefined ? "not given" : "given",
      optimizer: `number ${this.#ordinal} of this group`,
      inner: { className: inner.className, config: inner.config },
      [dataKey]: sharedOut(this.group),
      restored: refused !== undefined ? refused.message : layout === undefined ? "nothing" : {
        layout: layoutDigest(layout),
        step: this.step,
        "values (digest)": digests?.common,
        ...yields !== "parameters" && { "weights (digest)": digests?.weights },
      },
      "slots (digest)": slotsDigest(inner),
    };
  }

  /** What must be equal on all ranks in each step, by the names that a message uses. */
  readonly #equal = (): Readonly<Record<string, unknown>> => {
    const { learningRate, ...config } = this.#inner.getConfig() as Record<string, unknown>;
    return {
      "learning rate": (this.#inner as { readonly learningRate?: number }).learningRate ?? learningRate,
      "the inner optimizer": { ...config, iterations: this.#inner.iterations },
      [dataKey]: sharedOut(this.group),
    };
  };

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
    if (this.restoring.state) {
      // There are no other ranks that could have another state: it is compared with the variables.
      try {
        const layout = layoutOf(given.map(({ name }) => variable(name)));
        this.restoring.prepare(layout, this.#options.reducer, 1, this.#inner);
      } catch (error) {
        this.#takeBack();
        throw error;
      }
      this.restoring.confirm();
    }
    const bad = given.findIndex(({ tensor }) => tensor && !allFinite(numbersOf(tensor)));
    if (bad >= 0 && this.#options.nonFinite === "throw") {
      const what = `the gradient of variable ${bad} (${given[bad]!.name})`;
      throw refusal(this.step, [{ kind: "brought", what }], "");
    }
    if (bad < 0) this.#inner.applyGradients(given as unknown as NamedTensorMap);
    return bad < 0;
  }

  /** Which variables have a gradient on any rank, and whether this rank's is finite; undefined: the step is to be skipped. */
  *#agree(given: readonly NamedGradient[]): Exchange<Agreed | undefined> {
    const bucket = this.bucket!, { step } = this, { names } = bucket.layout, tensors = inOrder(given, names);
    const gone = names.findIndex((name) => variable(name) === undefined);
    if (gone >= 0) {
      throw new Error(
        `Cannot take step ${step}: variable ${gone} (${names[gone]}) has been disposed of. ` +
          "Make a new DistributedOptimizer when the variables to train change",
      );
    }
    bucket.gather(tensors);
    const present = tensors.map((tensor) => tensor !== null && tensor !== undefined);
    const nonFinite = bucket.firstNonFinite();
    if (!this.#meets) {
      // The ranks are on their own. A gradient that is not finite is left out, and reported when they next meet.
      if (nonFinite >= 0) bucket.vector.fill(0), this.#report(nonFinite);
      return { present, finite: nonFinite < 0 };
    }
    const report = nonFinite >= 0 ? nonFinite : this.#unreported, equal = this.#equal;
    const mine = { optimizer: this.#ordinal, step, nonFinite: report, hash: hashOf(equal()), present };
    this.opening = true;
    const statuses = yield* exchangeStatus(mine, equal);
    this.opening = false;
    this.#unreported = -1;
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
    const { step, bucket, state, group } = this, { reducer, nonFinite } = this.#options, { names } = bucket!.layout;
    // Every rank has taken the step before: nobody will be asked to take that one back any more.
    this.#undo.take(step, this.#inner, names.map(variable), state!, forward);
    this.#elsewhere.clear();
    let taken = false;
    try {
      const exchange = reducer.reduce(bucket!.vector, state!, this.#context());
      const outcome = yield* watch(exchange, reducer.name, group.rank, () => this.#bringsNonFinite());
      const objection = this.#elsewhere.objection ?? outcome.objection ?? this.#finds();
      const votes = outcome.votes ?? (yield* this.#vote(agreed, objection));
      taken = votes === undefined;
      if (votes === undefined || (nonFinite === "skip" && mayBeSkipped(votes))) return taken;
      const failed = votes[group.rank]?.kind === "failed", own = outcome.error ?? this.#elsewhere.error;
      throw failed && own !== undefined ? own : refusal(step, votes, reducer.name);
    } finally {
      if (!taken) this.#undo.back();
      else if (group.uniform) this.#undo.drop(); // no rank can be left behind
    }
  }

  /** A step in which the ranks do not meet. What is not finite is left out, and reported when they meet. */
  *#apart({ present, finite }: Agreed): Exchange<boolean> {
    const bucket = this.bucket!, state = this.state!, before = copyOf(state, this.#aside, "state");
    this.#elsewhere.clear();
    let taken = false;
    try {
      yield* this.#options.reducer.reduce(bucket.vector, state, this.#context());
      if (this.#elsewhere.error !== undefined) throw this.#elsewhere.error;
      taken = !this.#elsewhere.objection && this.#finds() === undefined;
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
    } finally {
      if (!taken) commit(before, state);
    }
    if (taken) this.#write(present.map(() => true));
    else this.#report(Math.max(0, bucket.firstNonFinite()));
    return taken && finite;
  }

  /**
   * Every rank says whether it can apply the step; it is applied here meanwhile. Undefined: all can. Now and then the
   * replicas that come of it are compared in the same round.
   */
  *#vote(agreed: Agreed, objection: Objection | undefined): Exchange<Votes | undefined> {
    const { bucket, step, group } = this, { names } = bucket!.layout;
    if (objection === undefined && this.#verifies) {
      this.#write(agreed.present);
      const replica = replicaOf(names.map(variable), this.#inner, this.state!.shared);
      const messages = yield* allGather(new TextEncoder().encode(hashOf(replica)));
      const votes = objectionsIn(messages), texts = messages.map((message) => message.join());
      if (votes || texts.every((text) => text === texts[0])) return votes;
      yield* compareReplicas(`take step ${step}`, replica, names);
      throw new Error(`Cannot take step ${step}: the ranks sent different digests of equal replicas`);
    }
    const message = objection ? encodeObjection(objection) : new Uint8Array(0);
    yield { op: "start", round: { op: "allGather", message } };
    let failure: { readonly error: Error } | undefined;
    try {
      if (objection === undefined) this.#write(agreed.present);
    } catch (error) {
      failure = { error: error instanceof Error ? error : new Error(String(error)) };
    }
    const votes = objectionsIn(yield { op: "finish" });
    if (failure === undefined || votes !== undefined) return votes;
    // The others have been told that all is well, and it is not: this rank cannot go on with them.
    void Promise.resolve(group.abort?.(failure.error)).catch(() => {});
    throw failure.error;
  }

  /** Whether the replicas are compared after this step. */
  get #verifies(): boolean {
    const { verify, reducer: { every = 1 } } = this.#options, { step } = this;
    if (verify === 0 || this.group.size === 1) return false;
    return Math.floor((step + 1) / verify) !== Math.floor((step + 1 - every) / verify);
  }

  /** Has the agreed result applied. What no rank has a gradient for, and no method delivers, is left alone as by tfjs. */
  #write(present: readonly boolean[]): void {
    const bucket = this.bucket!, { yields } = this.#options.reducer;
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
  #finds(): Objection | undefined {
    const bucket = this.bucket!, i = bucket.firstNonFinite(), { name, yields = "gradient" } = this.#options.reducer;
    if (i >= 0) return { kind: "found", what: `the ${yields} of variable ${i} (${bucket.layout.names[i]}) by ${name}` };
    const vector = notFinite(this.state!);
    return vector === undefined ? undefined : { kind: "found", what: `${vector}, which ${name} keeps,` };
  }

  /** What of this rank's own is not finite where its method refused to go on; undefined if that had another reason. */
  #bringsNonFinite(): string | undefined {
    const bucket = this.bucket!, i = bucket.firstNonFinite();
    if (i < 0) return undefined;
    return `what ${this.#options.reducer.name} makes of the gradient of variable ${i} (${bucket.layout.names[i]})`;
  }

  #context(): Context {
    const { rank, size } = this.group, { seed } = this.#options, { step } = this;
    const { learningRate } = this.#inner as { readonly learningRate?: number }, early = this.#early;
    const made = context({ seed, step, rank, size, early, workspace: this.#workspace, learningRate });
    // Read only if the reducer asks, and once per step.
    let parameters: Float32Array | undefined;
    const get = () => parameters ??= this.#readParameters();
    return Object.defineProperty(made, "parameters", { enumerable: true, get });
  }

  #readParameters(): Float32Array {
    const { layout } = this.bucket!;
    this.#parameters ??= new Float32Array(layout.size);
    return this.bucket!.gather(layout.names.map(variable), this.#parameters);
  }

  /** into := this rank's gradient at the point `at`, on the batch of the step under way, or zeros where that fails. */
  readonly gradientAt: GradientOracle = (at, into, of = "batch") =>
    this.#elsewhere.evaluate(this.bucket!, at, into, of);

  /** Meets the ranks of a new group, and goes back to the last step that all of them have taken. */
  *rejoin(group: Group, ordinal: number): Exchange {
    const { bucket, state, step } = this, { reducer, seed, nonFinite } = this.#options;
    yield* compareFacts("rejoin", {
      variables: bucket?.layout.shapes.map((shape) => `[${shape.join(", ")}]`) ?? "none yet: no step was begun",
      seed,
      reducer: { name: reducer.name, options: reducer.options },
      nonFinite,
      inner: this.#inner.getClassName(),
      optimizer: `number ${ordinal} of this group`,
    });
    const keeps = state !== undefined && Object.values(state.local).some(({ length }) => length > 0);
    const { rank, size } = this.group, back = this.#undo.step ?? null;
    const common = commonStep(yield* exchangePositions({ step, back, rank, size, keeps }));
    if (bucket !== undefined && group.size !== size) {
      requireFits(state!, reducer.init(bucket.layout, group.size), size, group.size);
    }
    if (common !== step) this.step = this.#undo.back();
    const apart = reducer.yields === "parameters" && (reducer.every ?? 1) > 1 && common % reducer.every! !== 0;
    if (bucket !== undefined && !apart) {
      const { names } = bucket.layout;
      yield* compareReplicas("rejoin", replicaOf(names.map(variable), this.#inner, state!.shared), names);
    }
    this.group = group;
    this.#ordinal = ordinal;
    this.#undo.drop();
    this.#unreported = -1;
  }
}
