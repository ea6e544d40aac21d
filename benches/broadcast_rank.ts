/** A rank of broadcast_bench.ts. @module */

import { table } from "../examples/terminal/table.ts";
import { connect } from "../transport/mod.ts";

using group = await connect();
const { rank, size } = group, ready = new Uint8Array(0);

/** What some calls took that all ranks begin together, ms. */
interface Times {
  readonly median: number;
  readonly least: number;
}

/** Times calls, and verifies what every tenth has done. */
function time(times: number, prepare: () => void, call: () => void, verify: () => void): Times {
  const taken: number[] = [];
  for (let i = -10; i < times; i++) {
    prepare();
    group.perform({ op: "allGather", message: ready });
    const start = performance.now();
    call();
    if (i >= 0) taken.push(performance.now() - start);
    if (i % 10 === 0) verify();
  }
  taken.sort((a, b) => a - b);
  return { median: taken[times >> 1]!, least: taken[0]! };
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Cannot trust the time: ${what}`);
}

function allReduce(length: number, times: number): Times {
  const own = Float32Array.from({ length }, (_, i) => (i * 37 + rank * 101) % 2001 - 1000);
  const sum = Float32Array.from({ length }, (_, i) => {
    let sum = 0;
    for (let r = 0; r < size; r++) sum += (i * 37 + r * 101) % 2001 - 1000;
    return sum;
  });
  const vector = new Float32Array(length);
  return time(
    times,
    () => vector.set(own),
    () => group.perform({ op: "allReduce", vector }),
    () => expect(vector.every((value, i) => value === sum[i]), "a sum is wrong"),
  );
}

function allGather(length: number, times: number): Times {
  const message = new Uint8Array(length);
  let round = 0, replies: readonly Uint8Array[] = [];
  return time(
    times,
    () => message.fill(rank + ++round),
    () => replies = group.perform({ op: "allGather", message }),
    () => {
      const right = replies.every((reply, r) =>
        reply.length === length && reply.every((byte) => byte === ((r + round) & 255))
      );
      expect(right, "a reply is wrong");
    },
  );
}

const from = new Float32Array(1 << 21).fill(1), to = new Float32Array(1 << 21);
const memcpy = time(30, () => {}, () => to.set(from), () => {});
const shown = (time: number) => time >= 1 ? `${time.toFixed(2)} ms` : `${(1000 * time).toFixed(1)} µs`;
const row = (what: string, bytes: number, { median, least }: Times, limit = "") => [
  what,
  shown(median),
  (bytes / median / 1e6).toFixed(2),
  limit,
  (median / memcpy.median).toPrecision(2),
  shown(least),
  (bytes / least / 1e6).toFixed(2),
];
const judge = (holds: boolean, limit: string) => size > 2 ? "" : holds ? limit : `not ${limit}!`;
const large = allReduce(1 << 21, 40), small = allGather(64, 2000);
const rows = [
  row("all-reduce of 8 MiB", 1 << 23, large, judge((1 << 23) / large.median / 1e6 >= 1, "≥ 1 GB/s")),
  row("all-reduce of 400 KiB", 400 << 10, allReduce(100 << 10, 100)),
  row("all-reduce of 8 KiB", 8 << 10, allReduce(2 << 10, 500)),
  row("all-gather of 1 MiB", 1 << 20, allGather(1 << 20, 40)),
  row("all-gather of 64 B", 64, small, judge(small.median <= 0.06, "≤ 60 µs")),
  row("memcpy of 8 MiB", 1 << 23, memcpy),
];
const head = [`${size} workers`, "median", "GB/s", "", "× memcpy", "least", "GB/s"];
if (rank === 0) console.log(`${table(head, rows)}\n`);
