/** A run of a method as one exchange: the same code for ranks in one thread, in workers and over TCP. */

// Not from mod.ts: the workers need no tfjs.
import { context } from "../../../optimizers/methods/context.ts";
import type { Vector } from "../../../optimizers/methods/method.ts";
import { workspace } from "../../../optimizers/methods/workspace.ts";
import { fold, key, normal } from "../../../random.ts";
import { methodOf } from "../../optimizers/all_methods.ts";
import type { Exchange, GradientOracle } from "../../../transport/mod.ts";

const layout = { names: ["kernel", "bias", "scale"], shapes: [[100, 90], [1000], [3]], size: 10_003 };

/** Steps of a run. The first three may apply nothing: so long is the longest delay of the list. */
const steps = 7;

/** What this rank's gradient is at a point: of a quadratic of its own. */
export function oracle(rank: number): GradientOracle {
  const centre = normal(fold(key(77), rank), new Float32Array(layout.size));
  return (at, into) => at.forEach((value, i) => into[i] = value - centre[i]!);
}

/** A few steps; the digest of all that the rank got and kept. */
export function* run(text: string, rank: number, size: number): Exchange<string> {
  const method = methodOf(text, layout), state = method.init(layout, size), memory = workspace();
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
