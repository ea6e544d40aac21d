/**
 * A group over TCP of two processes on this machine: all-reduce of vectors, whose sums are checked in every round, and
 * the blocking round trip of 64 bytes. Beside them, in the same run, what a copy in memory takes and what two plain
 * Deno sockets take that move the same bytes in both directions at once: the ceiling.
 *
 * `deno run --allow-read --allow-net=127.0.0.1 --allow-run benches/transport_bench.ts`
 *
 * @module
 */

import { barrier, type BlockingCollective, runBlocking, tcpBlocking } from "../transport/mod.ts";

const host = "127.0.0.1", large = 8 << 20;

if (Deno.args[0] === "rank") await second(Number(Deno.args[1]), Number(Deno.args[2]));
else await first();

async function first(): Promise<void> {
  const [port, plain] = [freePort(), freePort()];
  const listener = Deno.listen({ hostname: host, port: plain });
  const args = [
    "run",
    "--quiet",
    "--allow-read",
    `--allow-net=${host}`,
    import.meta.url,
    "rank",
    `${port}`,
    `${plain}`,
  ];
  const process = new Deno.Command(Deno.execPath(), { args }).spawn();
  const conn = await listener.accept();
  listener.close();

  const vector = new Uint8Array(large).fill(1), other = new Uint8Array(large).fill(2);
  const copy = median(100, () => other.set(vector));
  const sockets = await plainSockets(conn);
  using group = await tcpBlocking({ rank: 0, size: 2, host, port });
  const times = measure(group);
  await process.status;

  const rate = (bytes: number, ms: number) => (bytes / ms / 1e6).toFixed(3).padStart(8);
  console.log("two processes over TCP               median     GB/s   to the copy   to plain sockets");
  const line = (what: string, ms: number, bytes: number) =>
    console.log(
      `${what.padEnd(32)} ${ms.toFixed(3).padStart(7)} ms ${rate(bytes, ms)} ${(ms / copy).toFixed(1).padStart(13)}` +
        (bytes === large ? (ms / sockets).toFixed(2).padStart(19) : ""),
    );
  line("copy of 8 MiB", copy, large);
  line("plain sockets, 8 MiB each way", sockets, large);
  for (const [bytes, ms] of times.sums) line(`all-reduce of ${sizeName(bytes)}`, ms, bytes);
  console.log(`blocking round trip of 64 B      ${(1000 * times.roundTrip).toFixed(0).padStart(7)} µs`);
  const reached = large / times.sums.get(large)! / 1e6 >= 0.35 && times.roundTrip <= 0.4;
  console.log(`to reach: 8 MiB at 0.350 GB/s, 64 B in 400 µs: ${reached ? "reached" : "missed"}`);
}

async function second(port: number, plain: number): Promise<void> {
  await plainSockets(await Deno.connect({ hostname: host, port: plain }));
  using group = await tcpBlocking({ rank: 1, size: 2, host, port });
  measure(group);
}

/** Both ranks run this. Each round is timed on its own, from one barrier on, and its sum is checked. */
function measure(group: BlockingCollective): { sums: Map<number, number>; roundTrip: number } {
  const sums = new Map<number, number>(), { rank } = group;
  for (const [bytes, rounds] of [[64 << 10, 200], [1 << 20, 60], [large, 40], [64 << 20, 5]] as const) {
    const vector = new Float32Array(bytes / 4);
    let round = 0;
    const sum = median(rounds, () => group.perform({ op: "allReduce", vector }), () => {
      for (let i = 0; i < vector.length; i++) vector[i] = i % 1000 + rank + round;
      runBlocking(barrier(), group);
    }, () => {
      let wrong = 0;
      for (let i = 0; i < vector.length; i++) wrong += Number(vector[i] !== 2 * (i % 1000 + round) + 1);
      if (wrong > 0) throw new Error(`${wrong} sums of round ${round} are wrong`);
      round++;
    });
    sums.set(bytes, sum);
  }
  const message = Uint8Array.from({ length: 64 }, (_, i) => i + rank);
  const roundTrip = median(2000, () => {
    const replies = group.perform({ op: "allGather", message });
    if (replies[1 - rank]![63] !== 64 - rank) throw new Error("The message is wrong");
  });
  return { sums, roundTrip };
}

/** 8 MiB written and read at once by either end. */
async function plainSockets(conn: Deno.TcpConn): Promise<number> {
  conn.setNoDelay(true);
  const out = new Uint8Array(large), into = new Uint8Array(large), times: number[] = [];
  for (let round = 0; round < 40; round++) {
    const start = performance.now();
    await Promise.all([
      (async () => {
        for (let done = 0; done < large;) done += await conn.write(out.subarray(done));
      })(),
      (async () => {
        for (let done = 0; done < large;) done += (await conn.read(into.subarray(done)))!;
      })(),
    ]);
    times.push(performance.now() - start);
  }
  conn.close();
  return middle(times);
}

function median(count: number, timed: () => void, before = () => {}, after = () => {}): number {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    before();
    const start = performance.now();
    timed();
    times.push(performance.now() - start);
    after();
  }
  return middle(times);
}

function middle(times: number[]): number {
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

function sizeName(bytes: number): string {
  return bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: host, port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
