import { addSigns, packSigns } from "../../compressors/kernels/signs.ts";
import { scratch } from "../../compressors/kernels/scratch.ts";
import { bits, fold, type Key } from "../../random.ts";
import { allGather, allToAll } from "../../transport/round.ts";
import { checkNumber, checkOptions } from "../../options.ts";
import type { Method } from "./method.ts";

/** State of {@linkcode majorityVote}. */
export type MajorityVoteState = {
  /** The running mean of the rank's gradients. */
  readonly local: { readonly momentum: Float32Array };
  /** Nothing. */
  readonly shared: Record<never, Float32Array>;
};

/** Options of {@linkcode majorityVote}. */
export interface MajorityVoteOptions {
  /** β: votes with the sign of a running mean of gradients (Signum). Default 0.9; 0 is signSGD. */
  readonly momentum?: number;
}

const wordsOf = scratch(Uint32Array);

/**
 * signSGD with majority vote: each rank votes with the sign of every number, and the majority decides. That is one bit
 * a number each way, where each rank counts the votes on a stripe. The key decides zeros and ties.
 *
 * ```text
 * mᵢ ← β mᵢ + (1 − β) gᵢ          gᵢ: the gradient of rank i
 * send sign(mᵢ), stripe by stripe
 * send sign(Σ sign(mᵢ))           each stripe from the rank that counts it
 * g ← these signs, ±1             x ← x − γ g
 * ```
 *
 * - Compressor: none. The sign is neither unbiased nor contractive, and nothing is fed back.
 * - Memory: one vector a rank. Messages per step: one all-to-all and one all-gather. A rank sends d/8 bytes of votes
 *   for d parameters and d/(8 n) bytes of decisions on its stripe.
 * - Step size: γ is how far each parameter moves in a step (0.001 for small networks), and has to decay. The method
 *   need not converge: where the large gradient of one rank stands against small ones of many, the vote goes the wrong
 *   way.
 * - Source: Bernstein, Wang, Azizzadenesheli, Anandkumar, arXiv:1802.04434; Bernstein et al., arXiv:1810.05291.
 * - Choose it as a baseline; `distEf` sends as few bits and converges.
 *
 * @throws {RangeError} unless 0 ≤ momentum < 1
 *
 * @example
 * ```ts
 * import { majorityVote, minimise, quadratic } from "@gradwire/tfjs/optimizers";
 * const part = { a: [[1, 0], [0, 2]], b: [1, 1] }, problem = quadratic([part, part, part]);
 * console.assert(minimise(problem, majorityVote(), { rounds: 200, step: .01, error: 1e-3 }).reached);
 * ```
 */
export function majorityVote(options: MajorityVoteOptions = {}): Method<MajorityVoteState> {
  const { momentum = .9 } = checkOptions("make majorityVote", options, ["momentum"]);
  checkNumber("make majorityVote", "momentum", momentum, { least: 0, below: 1 });
  return {
    name: "majorityVote",
    options: { momentum },
    init: ({ size }) => ({ local: { momentum: new Float32Array(size) }, shared: {} }),
    *reduce(gradient, { local }, { rank, size, keyOf, workspace }) {
      const d = gradient.length, m = local.momentum, own = workspace.floats("gradient", d);
      const from = (r: number) => Math.floor(r * d / size), length = from(rank + 1) - from(rank);
      own.set(gradient);
      for (let j = 0; j < d; j++) gradient[j] = momentum * m[j]! + (1 - momentum) * own[j]!;
      decideZeros(gradient, fold(keyOf(rank), 0));

      const most = Math.ceil(Math.ceil(d / size) / 8), buffer = workspace.bytes("signs", (size + 1) * most);
      const signs = (vector: Float32Array, slot: number) => {
        const message = buffer.subarray(slot * most, slot * most + Math.ceil(vector.length / 8));
        packSigns(vector, message, 0);
        return message;
      };
      const ballots = Array.from({ length: size }, (_, to) => signs(gradient.subarray(from(to), from(to + 1)), to));
      const received = yield* allToAll(ballots), votes = workspace.floats("votes", length).fill(0);
      for (const message of received) addSigns(checked(message, length), 0, 1, -1, votes);
      decideZeros(votes, fold(keyOf(rank), 1));
      const decided = yield* allGather(signs(votes, size));

      for (let j = 0; j < d; j++) m[j] = momentum * m[j]! + (1 - momentum) * own[j]!;
      gradient.fill(0);
      decided.forEach((message, r) => {
        const stripe = gradient.subarray(from(r), from(r + 1));
        addSigns(checked(message, stripe.length), 0, 1, -1, stripe);
      });
    },
  };
}

/** Zeros become ±1, as the key's bits say: one bit cannot carry a zero, and to make all of them +1 would be a drift. */
function decideZeros(vector: Float32Array, key: Key): void {
  if (!vector.includes(0)) return;
  const words = bits(key, wordsOf((vector.length + 31) >>> 5));
  for (let j = 0; j < vector.length; j++) if (vector[j] === 0) vector[j] = (words[j >>> 5]! >>> (j & 31)) & 1 ? 1 : -1;
}

function checked(message: Uint8Array, numbers: number): Uint8Array {
  const expected = Math.ceil(numbers / 8);
  if (message.length === expected) return message;
  throw new RangeError(`Cannot count votes: the message has ${message.length} bytes, expected ${expected}`);
}
