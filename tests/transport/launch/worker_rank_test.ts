import { assertEquals } from "@std/assert/mod.js";
import { neverConnected } from "../../../transport/launch/process_rank.ts";
import { startWorker } from "../../../transport/launch/worker_rank.ts";

const start = (source: string, size: number) =>
  startWorker({
    script: `data:text/javascript,${encodeURIComponent(source)}`,
    prefix: false,
    place: { rank: 1, size, args: [], meeting: { transport: "broadcast" } },
  });

Deno.test("worker: how it ended is told with its rank, its exit code and its error", async () => {
  for (
    const [source, size, code, why] of [
      ["", 1, 0, undefined],
      ["", 2, 1, neverConnected],
      ["Deno.exit(7)", 2, 7, "ended with exit code 7"],
      ["throw new RangeError('out')", 2, 1, "failed: RangeError: out"],
    ] as const
  ) {
    const worker = start(source, size), { rank, ...end } = await worker.ended;
    assertEquals([rank, end.code, end.why], [1, code, why]);
    await worker.gone;
  }
});

Deno.test("worker: one that does not end by itself is ended by force", async () => {
  const worker = start("setInterval(() => {}, 1000)", 1);
  worker.end();
  await worker.gone;
});
