/** A worker that is one rank: connects, runs all methods, tells the digests. See same_bits_test.ts. */

import { broadcastChannel, runBlocking, tcpBlocking } from "../../../transport/mod.ts";
import { methods } from "../../optimizers/all_methods.ts";
import { oracle, run } from "./same_bits.ts";

const scope = globalThis as unknown as {
  onmessage: (event: { data: { transport: "tcp" | "broadcast"; rank: number; size: number; port: number } }) => void;
  postMessage(digests: readonly string[] | "loaded"): void;
};

scope.onmessage = async ({ data: { transport, rank, size, port } }) => {
  using group = transport === "tcp"
    ? await tcpBlocking({ rank, size, host: "127.0.0.1", port })
    : await broadcastChannel({ name: `same bits ${port}`, rank, size });
  scope.postMessage(methods.map(({ text }) => runBlocking(run(text, rank, size), group, oracle(rank))));
};
scope.postMessage("loaded");
