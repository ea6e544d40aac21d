/** One step of a replica, as exchanges with the other ranks. @module */

import * as tf from "../../dependencies/tfjs.ts";
import type { Exchange, GradientOracle } from "../../transport/round.ts";
import { NotFiniteError } from "../methods/parts/finite.ts";
import { commit, copyOf } from "../methods/parts/inner_method.ts";
import { conclude, concludeAndCompare, isCompared } from "./agreement/conclude.ts";
import { exchangeOpenings, explainLeave } from "./agreement/opening.ts";
import { hashOf } from "./agreement/replicas.ts";
import { mayBeSkipped, refusal, tellingOthers, type Votes, watch } from "./agreement/vote.ts";
import { stepFacts } from "./facts.ts";
import { GradientElsewhere } from "./gradient_elsewhere.ts";
import { type Loss, requireLoss, scalarLoss } from "./loss.ts";
import type { Replica } from "./replica.ts";
import { applyAlone, applyUpdate, nonFiniteGradient, nonFiniteUpdate } from "./update.ts";
import { forwardPass } from "./variables/forward_pass.ts";
import type { Snapshot } from "./variables/snapshot.ts";
import type { NamedTensorMap, Scalar, Variable } from "./variables/tfjs.ts";
import {
  checkTrainable,
  inOrder,
  type NamedGradient,
  requireLive,
  toList,
  variable,
  variablesFor,
} from "./variables/variables.ts";

/** The loss of a step and its gradients. */
type Evaluated = { readonly value: Scalar; readonly grads: NamedTensorMap };

/** For each variable whether any rank has a gradient for it; and whether this rank's gradients were finite. */
type Agreed = { readonly present: readonly boolean[]; readonly finite: boolean };

/**
 * One step. It consists of
 *
 * 1. the loss and its gradients, and meanwhile the part of the method's exchange that needs no gradient;
 * 2. the opening: all ranks are in the same step and equal in what decides it, and all gradients are finite;
 * 3. the method's exchange;
 * 4. the votes: each rank says whether it can apply what came of the exchange. Most say so by an empty message, which
 *    travels while the inner optimizer works. If one rank objects, all take the step back.
 */
export class Step implements Disposable {
  /** Whether the step has been begun: it can be taken once. */
  begun = false;
  readonly #replica: Replica;
  /** The loss; undefined if gradients computed elsewhere are applied. */
  readonly #loss: Loss | undefined;
  /** The variables that forward passes of this step have assigned to, with their values before each pass. */
  readonly #forward: Snapshot[] = [];
  /** Whether the method's `ahead` has been run. */
  #early = false;
  /** Whether the ranks are opening the step: a rank that does not answer may have taken its last one. */
  #opening = false;
  /** Gradients at other points than the weights. */
  readonly #elsewhere: GradientElsewhere;

  /** The next step of a replica. */
  constructor(replica: Replica, loss?: Loss) {
    this.#replica = replica;
    this.#loss = loss;
    this.#elsewhere = new GradientElsewhere(replica.inner, replica.options, loss);
  }

  /** Disposes of what the step has left behind, once another one begins. */
  [Symbol.dispose](): void {
    this.#elsewhere[Symbol.dispose]();
    if (!this.begun) this.#forget();
  }

  /** Answers a method that asks for the gradient at another point. */
  readonly gradientAt: GradientOracle = (at, into, of = "batch") => {
    this.#elsewhere.evaluate(this.#replica.bucket!, at, into, of);
  };

  /** An error that the step has thrown, with what is known of its reason. */
  explained(error: unknown): unknown {
    return this.#opening ? explainLeave(error, this.#replica.step, this.#replica.group.rank) : error;
  }

  /** Evaluates the loss and its gradients and takes the step. Returns the loss. */
  *minimize(): Exchange<Scalar> {
    this.begun = true;
    const { value, grads } = yield* this.#telling(this.#evaluate());
    let taken = false;
    try {
      yield* this.#take(this.#loss!.variables?.map(({ name }) => ({ name, tensor: grads[name] })) ?? toList(grads));
      taken = true;
      return value;
    } finally {
      tf.dispose(grads);
      if (!taken) value.dispose();
    }
  }

  /** Takes the step with gradients that were computed elsewhere. */
  *apply(gradients: readonly NamedGradient[]): Exchange {
    this.begun = true;
    let ready = false;
    try {
      if (!this.#replica.alone) yield* this.#telling(this.begin(() => variablesFor(gradients)));
      ready = true;
    } finally {
      if (!ready) this.#end(false);
    }
    yield* this.#take(gradients);
  }

  /** If this is the first step: what all ranks do before it. */
  *begin(variables: () => readonly Variable[]): Exchange {
    if (this.#replica.bucket === undefined) yield* this.#replica.begin(variables(), () => this.#forget());
  }

  /** Runs a forward pass whose gradients are applied later in this step, and holds on to what it assigns to. */
  forward<R>(pass: () => R): R {
    const { result, before } = forwardPass(this.#replica.inner, pass);
    const held = new Set(this.#forward.flatMap(({ variables }) => variables));
    before.narrow(before.variables.filter((variable) => !held.has(variable)));
    if (before.variables.length > 0) this.#forward.push(before);
    return result;
  }

  /** Lets what forward passes have assigned stay as it is now. */
  #forget(): void {
    for (const snapshot of this.#forward.splice(0)) snapshot[Symbol.dispose]();
  }

  /** Ends the step: what its forward passes have assigned stays, or is taken back. */
  #end(taken: boolean): void {
    if (!taken) { for (const snapshot of this.#forward.toReversed()) snapshot.restore(); }
    this.#forget();
  }

  /** Tells the others if this part of the step fails on this rank alone, unless the rank is on its own. */
  #telling<R>(exchange: Exchange<R>): Exchange<R> {
    const { bucket, meets, step, options: { method } } = this.#replica;
    if (bucket !== undefined && !meets) return exchange;
    return tellingOthers(exchange, (votes) => refusal(step, votes, method.name));
  }

  /** The loss and its gradients. The part of the method's exchange that needs no gradient goes on meanwhile. */
  *#evaluate(): Exchange<Evaluated> {
    const replica = this.#replica,
      { alone, step, inner, options: { method } } = replica,
      { f, variables } = this.#loss!;
    const doing = `take step ${step}`, begins = !alone && replica.bucket === undefined;
    requireLoss(doing, f, variables);
    if (alone && variables) checkTrainable(variables);
    if (begins && variables !== undefined) yield* this.begin(() => variables);
    const ahead = replica.state && method.ahead?.(replica.state, replica.context(false));
    let evaluated: Evaluated | undefined, failure: { readonly error: unknown } | undefined;
    const pass = () => {
      const { result, before } = forwardPass(
        inner,
        () => tf.variableGrads(() => scalarLoss(doing, f()), variables as Variable[]),
      );
      evaluated = result;
      this.#forward.push(before);
    };
    const undo = () => {
      if (evaluated === undefined) return;
      tf.dispose([evaluated.value, evaluated.grads]);
      this.#end(false);
      evaluated = undefined;
    };
    try {
      let early = ahead?.next([]);
      const reply = early && !early.done ? yield early.value : [];
      try {
        pass();
      } catch (error) {
        failure = { error }; // the exchange under way must end before the others can be told
      }
      if (early && !early.done) early = ahead!.next(reply);
      while (early && !early.done) early = ahead!.next(yield early.value);
      if (failure) throw failure.error;
      if (begins && variables === undefined) {
        // Only now is it known which variables there are. The gradients were taken at this rank's own weights: once
        // more.
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

  /** The step, given the gradients. */
  *#take(gradients: readonly NamedGradient[]): Exchange {
    const replica = this.#replica;
    let taken = false;
    try {
      if (replica.alone) {
        const variables = variablesFor(gradients);
        checkTrainable(variables);
        replica.confirmAlone(variables, () => this.#forget());
        taken = applyAlone(replica.inner, gradients, replica.step, replica.options.nonFinite);
      } else {
        const agreed = yield* this.#telling(this.#agree(gradients));
        if (agreed) taken = replica.meets ? yield* this.#together(agreed) : yield* this.#apart(agreed);
      }
      replica.step++;
    } finally {
      this.#end(taken);
    }
  }

  /** Opens the step. Undefined: it is to be skipped. */
  *#agree(gradients: readonly NamedGradient[]): Exchange<Agreed | undefined> {
    const replica = this.#replica, { step, ordinal, inner, group, options } = replica, bucket = replica.bucket!;
    const { names } = bucket.layout, tensors = inOrder(gradients, names);
    requireLive(step, names);
    bucket.gather(tensors);
    const present = tensors.map((tensor) => tensor !== null && tensor !== undefined);
    const nonFinite = bucket.firstNonFinite();
    if (!replica.meets) {
      // Each rank is on its own. It leaves out a gradient that is not finite, and reports it when the ranks next meet.
      if (nonFinite >= 0) bucket.vector.fill(0), this.#report(nonFinite);
      return { present, finite: nonFinite < 0 };
    }
    const report = nonFinite >= 0 ? nonFinite : replica.unreported, equal = () => stepFacts(inner, group);
    this.#opening = true;
    const openings = yield* exchangeOpenings(
      { optimizer: ordinal, step, nonFinite: report, hash: hashOf(equal()), present },
      equal,
    );
    this.#opening = false;
    replica.unreported = -1;
    replica.restoring.confirm(); // every rank has begun
    const rank = openings.findIndex(({ nonFinite }) => nonFinite >= 0);
    if (rank < 0) {
      return { present: present.map((_, i) => openings.some(({ present }) => present[i])), finite: true };
    }
    if (options.nonFinite === "skip") return undefined;
    const i = openings[rank]!.nonFinite, what = `the gradient of variable ${i} (${names[i]})`;
    throw refusal(step, Object.assign([], { length: openings.length, [rank]: { kind: "brought", what } }) as Votes, "");
  }

  /** Remembers to report a number that is not finite when the ranks next meet. */
  #report(variable: number): void {
    const replica = this.#replica;
    if (replica.options.nonFinite === "throw" && replica.unreported < 0) replica.unreported = variable;
  }

  /** The exchange and the votes. Returns false for a step that all ranks skip; throws for one that they refuse. */
  *#together({ present }: Agreed): Exchange<boolean> {
    const replica = this.#replica, { step, group, inner, undo, options, options: { method, nonFinite } } = replica;
    const bucket = replica.bucket!, state = replica.state!;
    // Every rank has taken the step before this one, so that none will be asked to take that one back any more.
    undo.remember(step, inner, replica.variables, state, this.#forward.splice(0));
    let taken = false;
    try {
      const outcome = yield* watch(
        method.reduce(bucket.vector, state, replica.context(this.#early)),
        method.name,
        group.rank,
        () => nonFiniteGradient(method, bucket),
      );
      const objection = this.#elsewhere.objection ?? outcome.objection ?? nonFiniteUpdate(method, bucket, state);
      const apply = () => applyUpdate(inner, method, bucket, present);
      const { votes, error } = outcome.votes
        ? outcome
        : objection === undefined && isCompared(step, group.size, options)
        ? yield* concludeAndCompare(step, () => (apply(), replica.digests()), bucket.layout.names)
        : yield* conclude(objection, apply, (reason) => void Promise.resolve(group.abort?.(reason)).catch(() => {}));
      taken = votes === undefined;
      if (votes === undefined || (nonFinite === "skip" && mayBeSkipped(votes))) return taken;
      const failed = votes[group.rank]?.kind === "failed", own = error ?? this.#elsewhere.error;
      throw failed && own !== undefined ? own : refusal(step, votes, method.name);
    } finally {
      if (!taken) undo.back();
      else if (group.uniform) undo.drop(); // no rank can be left behind
    }
  }

  /** A step between two exchanges. A result that is not finite is left out, and reported when the ranks next meet. */
  *#apart({ present, finite }: Agreed): Exchange<boolean> {
    const replica = this.#replica, { inner, options: { method } } = replica;
    const bucket = replica.bucket!, state = replica.state!, before = copyOf(state, replica.aside, "state");
    let taken = false;
    try {
      yield* method.reduce(bucket.vector, state, replica.context(this.#early));
      if (this.#elsewhere.error !== undefined) throw this.#elsewhere.error;
      taken = !this.#elsewhere.objection && nonFiniteUpdate(method, bucket, state) === undefined;
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
    } finally {
      if (!taken) commit(before, state);
    }
    if (taken) applyUpdate(inner, method, bucket, present.map(() => true));
    else this.#report(Math.max(0, bucket.firstNonFinite()));
    return taken && finite;
  }
}
