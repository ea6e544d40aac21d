import { checkInteger, checkNumber, checkOptions } from "../../../options.ts";
import { requireParameters, requireRate } from "../parts/require_context.ts";
import { keyFor } from "../keys.ts";
import { bytesOf } from "../../../bytes.ts";
import { allFinite, gatherFinite, requireFinite } from "../parts/finite.ts";
import type { Method } from "../method.ts";
import { lowRankSubspace, maskSubspace } from "./subspace.ts";

/** State of {@linkcode structuredUpdate}. */
export type StructuredUpdateState = {
  /** How far the rank has moved in this round, in the coordinates of its subspace. */
  readonly local: { readonly coordinates: Float32Array };
  /** `anchor`: where the round began; `started`: whether there is an anchor (1) or not (0). */
  readonly shared: { readonly anchor: Float32Array; readonly started: Float32Array };
};

/** Options of {@linkcode structuredUpdate}: either a random mask or low rank. */
export type StructuredUpdateOptions =
  & {
    /** K: local steps in a round. */
    readonly localSteps: number;
  }
  & (
    | {
      /** Random mask: the share of the parameters that a rank may change in a round. */
      readonly ratio: number;
    }
    | {
      /** Low rank: the rank of each matrix's change in a round. Vectors and small matrices change freely. */
      readonly rank: number;
    }
  );

/**
 * Structured updates: in each round, every rank only moves within a random subspace of its own, which follows from the
 * key. So nothing is lost when the movement is sent. It owns the update: the inner optimizer only gives the learning
 * rate.
 *
 * ```text
 * random mask: S, ratio · d of the d parameters     low rank: A, `rank` random orthonormal columns for each matrix
 * yᵢ ← yᵢ − γ (gᵢ on S)                              B ← B − γ Aᵀ gᵢ;  yᵢ = x + A B          K times, from yᵢ = x
 * send x − yᵢ on S                                   send B
 * x ← the mean of the ranks' yᵢ                      gᵢ: the gradient of rank i at yᵢ
 * ```
 *
 * - Compressor: none; S and A cost no bytes.
 * - Memory: two vectors a rank. Messages: one all-gather every K steps, of ratio · d floats, or of rank · columns
 *   floats for each matrix.
 * - Step size, for fᵢ of smoothness at most Lmax: γ ≤ min(1 / (4 Lmax), 1 / (8 Lmax (K − 1))). A round makes progress
 *   only in its subspaces: of dimension k they take about d/k times as many rounds.
 * - Source: Konečný, McMahan, Yu, Richtárik, Suresh, Bacon, arXiv:1610.05492.
 * - Choose it for federated learning over very thin uplinks; otherwise `fedAvg` with an unbiased compressor.
 *
 * @throws {RangeError} if an option is out of range
 * @throws {TypeError} unless one of ratio and rank is given
 *
 * @example
 * ```ts
 * import { minimise, quadratic, structuredUpdate } from "@gradwire/tfjs/optimizers";
 * const part = { a: [[1, 0], [0, 2]], b: [1, 1] }, problem = quadratic([part, part]);
 * const method = structuredUpdate({ localSteps: 2, ratio: .5 });
 * console.assert(minimise(problem, method, { rounds: 400, step: .2, error: 1e-6 }).reached);
 * ```
 */
export function structuredUpdate(options: StructuredUpdateOptions): Method<StructuredUpdateState> {
  const { localSteps, ratio, rank } = checkOptions<{ localSteps: number; ratio?: number; rank?: number }>(
    "make structuredUpdate",
    options,
    ["localSteps", "ratio", "rank"],
  );
  checkInteger("make structuredUpdate", "localSteps", localSteps, 1);
  if ((ratio === undefined) === (rank === undefined)) {
    throw new TypeError(
      `Cannot make structuredUpdate: ratio is ${ratio} and rank is ${rank}, expected one of the two`,
    );
  }
  if (ratio !== undefined) checkNumber("make structuredUpdate", "ratio", ratio, { above: 0, most: 1 });
  if (rank !== undefined) checkInteger("make structuredUpdate", "rank", rank, 1);
  const subspace = ratio !== undefined ? maskSubspace(ratio) : lowRankSubspace(rank!);
  return {
    name: "structuredUpdate",
    options: { ...options },
    yields: "parameters",
    every: localSteps,
    stepSize: ({ largestSmoothness }) => 1 / (largestSmoothness * Math.max(4, 8 * (localSteps - 1))),
    init: (layout) => ({
      local: { coordinates: new Float32Array(subspace.dimension(layout)) },
      shared: { anchor: new Float32Array(layout.size), started: new Float32Array(1) },
    }),
    *reduce(gradient, { local, shared }, context) {
      const { step, rank, size, workspace } = context, y = requireParameters("structuredUpdate", context);
      const rate = requireRate("structuredUpdate", context);
      const { coordinates } = local, { anchor, started } = shared, keys = context.keysAt(step - step % localSteps);
      /** The key from which a rank draws its subspace of this round. */
      const keyOf = (of: number) => keyFor(keys.keyOf(of), "subspace");
      const first = started[0] === 0, x = first ? y : anchor, fresh = step % localSteps === 0;
      const next = workspace.floats("coordinates", coordinates.length);
      subspace.project(gradient, keyOf(rank), context, next);
      for (let j = 0; j < next.length; j++) next[j] = (fresh ? 0 : coordinates[j]!) - rate * next[j]!;
      gradient.set(x);
      if ((step + 1) % localSteps !== 0) {
        subspace.addBack(next, 1, keyOf(rank), context, gradient);
        requireFinite("structuredUpdate", "the rank's parameters", gradient);
        requireFinite("structuredUpdate", "the rank's coordinates", next);
        coordinates.set(next);
        if (first) anchor.set(x), started[0] = 1;
        return;
      }
      const own = bytesOf(next), theirs = workspace.floats("theirs", next.length);
      const messages = yield* gatherFinite(
        "structuredUpdate",
        allFinite(next) ? own : undefined,
        own.length,
        workspace,
      );
      messages.forEach((message, r) => {
        if (message.length !== own.length) {
          throw new RangeError(
            `Cannot decode structuredUpdate: rank ${r}'s message has ${message.length} bytes, expected ${own.length}`,
          );
        }
        bytesOf(theirs).set(message);
        const bad = theirs.find((value) => !Number.isFinite(value));
        if (bad !== undefined) {
          throw new RangeError(`Cannot decode structuredUpdate: rank ${r}'s message holds ${bad}`);
        }
        subspace.addBack(theirs, 1 / size, keyOf(r), context, gradient);
      });
      requireFinite("structuredUpdate", "the mean of the parameters", gradient);
      anchor.set(gradient), started[0] = 1;
    },
  };
}
