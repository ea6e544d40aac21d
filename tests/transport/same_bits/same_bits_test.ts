import { assertEquals } from "@std/assert/mod.js";
import * as factories from "../../../optimizers/methods/factories.ts";
import { collective, memory, runAsync, runTogether } from "../../../transport/mod.ts";
import { freePort, loaded } from "../tools/ports.ts";
import { methods, oracle, run } from "./same_bits.ts";

const size = 3, ranks = [0, 1, 2];

/** By method and rank. */
const expected = methods.map((method) => runTogether(ranks.map((rank) => run(method, rank, size)), ranks.map(oracle)));

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

Deno.test("every method is in the table", () => {
  // perLayer and skipSmall are made of others and of a layout; none exchanges nothing.
  const known = new Set([...methods.map((text) => text.split("(")[0]), "none", "perLayer", "skipSmall"]);
  assertEquals(Object.keys(factories).filter((name) => !known.has(name)), []);
});

Deno.test("the ranks' points are equal, move, and differ by method", () => {
  for (const [i, method] of methods.entries()) {
    const points = expected[i]!.map((digest) => digest.split(" ").slice(0, 4).join(" "));
    assertEquals(new Set(points).size, 1, method);
    assertEquals(new Set(points[0]!.split(" ")).size, 4, method);
  }
  assertEquals(new Set(expected.map(([first]) => first)).size, methods.length);
});

Deno.test("methods have the same bits over an awaited group as in one thread", async () => {
  for (const [i, method] of methods.entries()) {
    const groups = memory(size).map((transport) => collective(transport));
    const digests = await Promise.all(
      groups.map((group, rank) => runAsync(run(method, rank, size), group, oracle(rank))),
    );
    assertEquals(digests, expected[i], method);
  }
});

Deno.test("methods have the same bits in workers over shared memory as in one thread", async () => {
  assertEquals(await inWorkers("broadcast"), expected);
});

Deno.test("methods have the same bits over TCP as in one thread", async () => {
  assertEquals(await inWorkers("tcp"), expected);
});
