import { assertEquals } from "@std/assert/mod.js";
import { collective, memory, runAsync, runTogether } from "../../../transport/mod.ts";
import { freePort, loaded } from "../tools/ports.ts";
import { methods } from "../../optimizers/all_methods.ts";
import { oracle, run } from "./same_bits.ts";

const size = 3, ranks = [0, 1, 2];

/** By method and rank. */
const expected = methods.map(({ text }) => runTogether(ranks.map((rank) => run(text, rank, size)), ranks.map(oracle)));

async function inWorkers(transport: "tcp" | "broadcast"): Promise<string[][]> {
  const port = freePort(), script = new URL("./same_bits_rank.ts", import.meta.url);
  // One after the other: what the first has type-checked, the others find in the cache.
  const workers: Worker[] = [];
  for (const _ of ranks) workers.push(await loaded(new Worker(script, { type: "module" })));
  const byRank = await Promise.all(workers.map((worker, rank) =>
    new Promise<string[]>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => (event.preventDefault(), reject(new Error(event.message)));
      worker.postMessage({ transport, rank, size, port });
    })
  ));
  for (const worker of workers) worker.terminate();
  return methods.map((_, i) => byRank.map((digests) => digests[i]!));
}

Deno.test("the ranks' points are equal, move, and differ by method", () => {
  for (const [i, { text }] of methods.entries()) {
    const points = expected[i]!.map((digest) => digest.split(" ").slice(0, 7));
    for (const point of points) assertEquals(point, points[0], text);
    // Delayed methods apply nothing in their first steps.
    assertEquals(new Set(points[0]!.slice(3)).size, 4, text);
  }
  assertEquals(new Set(expected.map(([first]) => first)).size, methods.length);
});

Deno.test("methods have the same bits over an awaited group as in one thread", async () => {
  for (const [i, { text }] of methods.entries()) {
    const groups = memory(size).map((transport) => collective(transport));
    const digests = await Promise.all(
      groups.map((group, rank) => runAsync(run(text, rank, size), group, oracle(rank))),
    );
    assertEquals(digests, expected[i], text);
  }
});

Deno.test("methods have the same bits in workers over shared memory as in one thread", async () => {
  assertEquals(await inWorkers("broadcast"), expected);
});

Deno.test("methods have the same bits over TCP as in one thread", async () => {
  assertEquals(await inWorkers("tcp"), expected);
});
