/** A process that is one rank and performs rounds until something fails; then it prints what. See blocking_test.ts. */

import { tcpBlocking, TransportError } from "../../../transport/mod.ts";

const [rank, size, port, timeout] = Deno.args.map(Number) as [number, number, number, number];
using group = await tcpBlocking({ rank, size, host: "127.0.0.1", port, timeout, connectTimeout: 30_000 });
const vector = new Float32Array(50_000);
for (let round = 0;; round++) {
  vector.fill(rank + round);
  try {
    group.perform({ op: "allReduce", vector });
  } catch (error) {
    const kept = vector.every((value) => value === rank + round);
    console.log(
      JSON.stringify({ named: error instanceof TransportError ? error.rank : null, kept, message: String(error) }),
    );
    break;
  }
  if (vector[0] !== size * (size - 1) / 2 + size * round) throw new Error(`the sum is ${vector[0]}`);
  if (round === 20) console.log("running");
}
