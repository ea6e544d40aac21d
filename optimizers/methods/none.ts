import type { Method } from "./method.ts";

/**
 * No communication: every rank goes on with its own gradient. The ranks' parameters drift apart, so it is no way to
 * train but a yardstick: no method makes a step faster than it is with this one.
 *
 * Memory: none. Messages per step: none.
 *
 * @example
 * ```ts
 * import { context, none, workspace } from "@gradwire/tfjs/optimizers";
 * import { runTogether } from "@gradwire/tfjs/transport";
 * const layout = { names: ["w"], shapes: [[2]], size: 2 }, method = none(), state = method.init(layout);
 * const gradients = [Float32Array.of(1, 3), Float32Array.of(3, 5)];
 * runTogether(gradients.map((gradient, rank) =>
 *   method.reduce(gradient, state, context({ seed: 1, step: 0, rank, size: 2, layout, workspace: workspace() }))
 * ));
 * console.assert(gradients.join(" ") === "1,3 3,5");
 * ```
 */
export function none(): Method {
  return {
    name: "none",
    options: {},
    identityAlone: true,
    init: () => ({ local: {}, shared: {} }),
    *reduce() {},
  };
}
