/** A run of a method as one exchange: the same code for ranks in one thread, in workers and over TCP. */

// Not from mod.ts: the workers need no tfjs.
import { parseMethod } from "../../../optimizers/methods/parse_method.ts";
import { context } from "../../../optimizers/methods/context.ts";
import type { Vector } from "../../../optimizers/methods/method.ts";
import { workspace } from "../../../optimizers/methods/workspace.ts";
import { fold, key, normal } from "../../../random.ts";
import type { Exchange, GradientOracle } from "../../../transport/mod.ts";

/** Every method, with each kind of round and each way to keep state. */
export const methods: readonly string[] = [
  "average(naturalCompression)",
  "average(randK({ ratio: 0.1, shared: true }))",
  "errorFeedback(topK({ ratio: 0.05 }))",
  "errorFeedback(sparseDithering({ nu: 0.5, rounding: 'nearest' }))",
  "diana(randK({ ratio: 0.1 }))",
  "doubleSqueeze(scaledSign)",
  "ef21(topK({ ratio: 0.1 }))",
  "marina(naturalCompression)",
  "powerSgd({ rank: 2 })",
  "deepGradientCompression({ ratio: 0.05 })",
  "oneBitAdam({ warmupSteps: 2 })",
  "majorityVote",
  "errorFeedback(topK({ ratio: 0.05 }), { delay: 1 })",
  "ef21(topK({ ratio: 0.1 }), { plus: true })",
  "adiana(randK({ ratio: 0.5 }), { convexity: 1 })",
  "distEf",
  "oneBitSgd",
  "localSgd({ every: 2 })",
  "fedAvg({ localSteps: 2, fraction: 0.5, method: errorFeedback(topK({ ratio: 0.05 })) })",
  "scaffold({ localSteps: 2, option: 'I' })",
  "structuredUpdate({ localSteps: 2, rank: 3 })",
  "vrDiana(naturalCompression, { terms: 4 })",
  "vrDiana(randK({ ratio: 0.1 }), { terms: 3, form: 'table' })",
  "qsparseLocal(signTopK({ ratio: 0.05 }), { every: 2 })",
  "warmup(errorFeedback(oneBit), { steps: 2 })",
  "schedule({ 0: errorFeedback(topK({ ratio: 0.1 })), 2: errorFeedback(topK({ ratio: 0.01 })) })",
];

const layout = { names: ["kernel", "bias"], shapes: [[100, 90], [1003]], size: 10_003 }, steps = 4;

/** What this rank's gradient is at a point: of a quadratic of its own. */
export function oracle(rank: number): GradientOracle {
  const centre = normal(fold(key(77), rank), new Float32Array(layout.size));
  return (at, into) => at.forEach((value, i) => into[i] = value - centre[i]!);
}

/** A few steps; the digest of all that the rank got and kept. */
export function* run(text: string, rank: number, size: number): Exchange<string> {
  const method = parseMethod(text), state = method.init(layout, size), memory = workspace();
  const gradient = new Float32Array(layout.size), point = new Float32Array(layout.size), gradientAt = oracle(rank);
  const digests: number[] = [];
  for (let step = 0; step < steps; step++) {
    gradientAt(point, gradient, "batch");
    const parameters = point.slice();
    yield* method.reduce(
      gradient,
      state,
      context({ seed: 3, step, rank, size, layout, workspace: memory, learningRate: 0.1, parameters }),
    );
    if (method.yields === "parameters") point.set(gradient);
    else gradient.forEach((value, i) => point[i]! -= (method.yields === "step" ? 1 : 0.1) * value);
    // Between the rounds of a local method each rank is elsewhere.
    digests.push((step + 1) % (method.every ?? 1) === 0 ? digest(point) : step);
  }
  return [...digests, ...Object.values(state.shared).map(digest), ...Object.values(state.local).map(digest)].join(" ");
}

function digest(vector: Vector): number {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}
