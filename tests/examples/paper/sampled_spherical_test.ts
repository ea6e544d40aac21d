import { assert, assertAlmostEquals } from "@std/assert/mod.js";
import { capShare, sampledSpherical } from "../../../examples/paper/sampled_spherical.ts";
import { context, workspace } from "../../../optimizers/mod.ts";
import { key, normal } from "../../../random.ts";
import type { Round } from "../../../transport/mod.ts";

Deno.test("sampled messages keep α in every draw, and are as long as those of the search", () => {
  const d = 8, alpha = .25, draws = 400, method = sampledSpherical(alpha);
  let bits = 0;
  for (let step = 0; step < draws; step++) {
    const x = normal(key(step), new Float32Array(d)), gradient = x.slice();
    const layout = { names: ["x"], shapes: [[d]], size: d }, state = method.init(layout, 1);
    const now = context({ seed: 1, step, rank: 0, size: 1, layout, workspace: workspace() });
    const exchange = method.reduce(gradient, state, now),
      { value } = exchange.next([]),
      round = value as Round & { op: "allGather" };
    exchange.next([round.message]);
    bits += 8 * round.message.length / draws;
    const norm = x.reduce((sum, v) => sum + v * v, 0);
    assert(x.reduce((sum, v, i) => sum + (v - gradient[i]!) ** 2, 0) <= alpha * norm * (1 + 1e-5));
  }
  // 31 bits of the norm and, in Golomb–Rice code, 10 bits of the index or a little more: 6 bytes in almost every draw.
  assertAlmostEquals(bits, 48, .2);
  assertAlmostEquals(capShare(alpha, d), 1.268e-3, 1e-6);
});
