/**
 * The speed of ranks that are workers: rounds through shared memory on two ranks and on four, beside memcpy in the same
 * run. Every sum and every reply is verified. Limits are those that issues set, for two ranks.
 *
 * `deno run --allow-read --allow-env benches/broadcast_bench.ts`
 *
 * @module
 */

import { launch } from "../transport/launch/mod.ts";

for (const ranks of [2, 4]) {
  await launch({ script: new URL("./broadcast_rank.ts", import.meta.url), ranks, prefix: false });
}
