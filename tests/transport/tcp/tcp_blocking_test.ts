import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert/mod.js";
import { collectiveProperties, collectiveTraffic } from "../../../testing/mod.ts";
import { tcpBlocking, TransportError } from "../../../transport/mod.ts";
import { Mailbox, word } from "../../../transport/blocking/mailbox.ts";
import { freePort } from "../tools/ports.ts";
import { testClaims } from "../tools/at_once.ts";
import { Remote } from "../blocking/remote.ts";

const remotes: Remote[] = [];

function suite() {
  const before: Remote[] = [];
  const make = async (size: number, timeout: number) => {
    for (const remote of before.splice(0)) remote.kill();
    const port = freePort();
    const groups = await Promise.all(
      Array.from({ length: size }, (_, rank) => {
        // A rank that lives sends heartbeats: only roundTimeout ends the wait for one that does not take part.
        const deadlines = { timeout: 20_000, roundTimeout: timeout, connectTimeout: 60_000 };
        return Remote.connect({ rank, size, host: "127.0.0.1", port, ...deadlines });
      }),
    );
    before.push(...groups), remotes.push(...groups);
    return { groups, kill: (rank: number) => groups[rank]!.kill() };
  };
  return collectiveProperties(make, {
    inRankOrder: true,
    traffic: collectiveTraffic(8),
    sizes: [3],
    lengths: [0, 1, 7, 8193, 300_007],
    timeout: 2000,
    patience: 10_000,
    runs: 3,
  });
}

testClaims("tcpBlocking", suite, 3, () => {
  for (const remote of remotes.splice(0)) remote.kill();
});

/** Ranks as processes; the first lines they print once they run, and what they print when they fail. */
async function processes(size: number, timeout: number, accident: (ranks: readonly Deno.ChildProcess[]) => void) {
  const port = freePort(), script = new URL("./tcp_process.ts", import.meta.url).href;
  const ranks = Array.from({ length: size }, (_, rank) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--allow-read",
        "--allow-net=127.0.0.1",
        script,
        ...[rank, size, port, timeout].map(String),
      ],
      stdout: "piped",
    }).spawn());
  const readers = ranks.map(({ stdout }) => stdout.pipeThrough(new TextDecoderStream()).getReader());
  try {
    for (const reader of readers) assertEquals((await reader.read()).value, "running\n");
    accident(ranks);
    const begin = performance.now();
    const said = await Promise.all(readers.map(async (reader, rank) => {
      const { value } = rank === 1 ? { value: undefined } : await reader.read();
      return value === undefined ? undefined : JSON.parse(value) as { named: number; kept: boolean; message: string };
    }));
    return { said, seconds: (performance.now() - begin) / 1000 };
  } finally {
    for (const rank of ranks) {
      try {
        rank.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    await Promise.all(ranks.map(({ status }) => status));
    for (const reader of readers) await reader.cancel();
  }
}

Deno.test("a process that is killed is named by all others at once, and their vectors are kept", async () => {
  const { said, seconds } = await processes(3, 20_000, (ranks) => ranks[1]!.kill("SIGKILL"));
  for (const rank of [0, 2]) assertEquals([said[rank]!.named, said[rank]!.kept], [1, true], said[rank]!.message);
  assert(seconds < 20, `noticed after ${seconds} s`); // before the deadline
});

Deno.test("a process that stops, as when its machine vanishes, is named within the deadline", async () => {
  const { said, seconds } = await processes(3, 2000, (ranks) => ranks[1]!.kill("SIGSTOP"));
  for (const rank of [0, 2]) assertEquals([said[rank]!.named, said[rank]!.kept], [1, true], said[rank]!.message);
  assert(seconds > 1 && seconds < 60, `noticed after ${seconds} s`);
});

Deno.test("tcpBlocking: an abort ends a round that is under way, and the peers learn why", async () => {
  const at = { size: 2, host: "127.0.0.1", port: freePort(), timeout: 20_000, connectTimeout: 30_000 };
  const [group, remote] = await Promise.all([tcpBlocking({ rank: 0, ...at }), Remote.connect({ rank: 1, ...at })]);
  const finish = group.start!({ op: "allGather", message: Uint8Array.of(1) }); // the other rank has not begun it
  group.abort!(new Error("out of memory"));
  assertThrows(finish, TransportError, "out of memory");
  // What was sent before is received: the other rank may finish that round, and then fails in the next.
  const gather = { op: "allGather", message: Uint8Array.of(3) } as const;
  const error = await assertRejects(() => remote.perform(gather).then(() => remote.perform(gather)));
  assertEquals((error as TransportError).rank, 0);
  assertStringIncludes((error as Error).message, "rank 0 gave up: out of memory");
  group[Symbol.dispose]();
  remote.kill();
});

Deno.test("tcpBlocking: tickets that wrap around, after 2³¹ rounds, are those of the rounds before", async () => {
  const at = { size: 2, host: "127.0.0.1", timeout: 20_000, connectTimeout: 30_000 };
  const { allocate } = Mailbox;
  // The group is made as if all but two of the tickets had been used.
  Mailbox.allocate = (size) => {
    const buffer = allocate(size), words = new Int32Array(buffer);
    words[word.asked] = words[word.answered] = 2 ** 31 - 2;
    return buffer;
  };
  try {
    const port = freePort();
    const [group, remote] = await Promise.all([
      tcpBlocking({ rank: 0, port, ...at }),
      Remote.connect({ rank: 1, port, ...at }),
    ]);
    for (let i = 0; i < 6; i++) {
      const other = remote.perform({ op: "allGather", message: Uint8Array.of(10 + i) });
      const mine = group.perform({ op: "allGather", message: Uint8Array.of(i) }).map(([byte]) => byte);
      assertEquals([mine, (await other).map(([byte]) => byte)], [[i, 10 + i], [i, 10 + i]]);
    }
    const leaving = remote[Symbol.asyncDispose]();
    group[Symbol.dispose]();
    await leaving;
    remote.kill();
  } finally {
    Mailbox.allocate = allocate;
  }
});

Deno.test("tcpBlocking reuses its memory: replies of 200 rounds lie where those of the first lay", async () => {
  const port = freePort(), options = { size: 2, host: "127.0.0.1", port };
  const [group, remote] = await Promise.all([
    tcpBlocking({ ...options, rank: 0 }),
    Remote.connect({ ...options, rank: 1 }),
  ]);
  const memory = new Set<ArrayBufferLike>(), message = new Uint8Array(10_000);
  for (let i = 0; i < 200; i++) {
    const other = remote.perform({ op: "allGather", message });
    for (const reply of group.perform({ op: "allGather", message })) memory.add(reply.buffer);
    await other;
  }
  assertEquals(memory.size, 1);
  const leaving = remote[Symbol.asyncDispose]();
  group[Symbol.dispose]();
  await leaving;
  remote.kill();
});

Deno.test("the comm worker starts where the library is a URL, and needs no permission but the ranks' addresses", async () => {
  const root = new URL("../../../", import.meta.url), cache = await Deno.makeTempDir();
  const script = `
    import { tcpBlocking } from "./transport/tcp/tcp_blocking.ts";
    const [rank, port] = Deno.args.map(Number);
    using group = await tcpBlocking({ rank, size: 2, host: "127.0.0.1", port, timeout: 20_000 });
    console.log(...group.perform({ op: "allGather", message: Uint8Array.of(rank) }).map(([byte]) => byte));`;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ url }) => {
    const { pathname } = new URL(url), headers = { "content-type": "application/typescript" };
    return new Response(pathname === "/main.ts" ? script : await Deno.readTextFile(new URL(`.${pathname}`, root)), {
      headers,
    });
  });
  const { port: web } = server.addr, port = freePort();
  const outputs = await Promise.all([0, 1].map((rank) => {
    const args = ["run", "--quiet", "--no-config", `--allow-import=127.0.0.1:${web}`, "--allow-net=127.0.0.1"];
    args.push(`http://127.0.0.1:${web}/main.ts`, `${rank}`, `${port}`);
    return new Deno.Command(Deno.execPath(), { args, env: { DENO_DIR: `${cache}/${rank}`, NO_COLOR: "1" } }).output();
  }));
  await Deno.remove(cache, { recursive: true });
  for (const { stdout, stderr } of outputs) {
    assertEquals(new TextDecoder().decode(stdout), "0 1\n", new TextDecoder().decode(stderr));
  }
});

Deno.test("tcpBlocking on one rank needs nobody", async () => {
  using group = await tcpBlocking({ rank: 0, size: 1, host: "127.0.0.1", port: 1 });
  assertEquals(group.perform({ op: "allGather", message: Uint8Array.of(3) }), [Uint8Array.of(3)]);
});

Deno.test("tcpBlocking says what went wrong in the comm worker", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr, options = { rank: 0, size: 2, host: "127.0.0.1", port };
  const error = await assertRejects(() => tcpBlocking(options), TransportError, `the port is in use`);
  assertEquals(error.rank, 0);
  const options2 = { ...options, port: freePort(), timeout: 300 };
  await assertRejects(() => tcpBlocking(options2), TransportError, "rank 1 did not come within 0.3 s");
  await assertRejects(
    () => tcpBlocking({ ...options, rank: 5 }),
    RangeError,
    "rank is 5, expected an integer from 0 to 1",
  );
});

Deno.test("tcpBlocking on a page's main thread is a TypeError that says what to do", async () => {
  const { wait } = Atomics;
  try {
    Atomics.wait = (() => {
      throw new TypeError("Atomics.wait cannot be called in this context");
    }) as typeof wait;
    const connecting = () => tcpBlocking({ rank: 0, size: 2, host: "127.0.0.1", port: 1 });
    const error = await assertRejects(connecting, TypeError, "train in a Worker");
    assertStringIncludes(error.message, "minimizeAsync");
  } finally {
    Atomics.wait = wait;
  }
});

Deno.test("a round that was started is exchanged while this thread does something else", async () => {
  const at = { size: 2, host: "127.0.0.1", port: freePort(), timeout: 20_000, connectTimeout: 30_000 };
  const [group, remote] = await Promise.all([tcpBlocking({ rank: 0, ...at }), Remote.connect({ rank: 1, ...at })]);
  try {
    const finish = group.start!({ op: "allGather", message: Uint8Array.of(1, 2) });
    assertThrows(() => group.perform({ op: "allGather", message: Uint8Array.of(5) }), Error, "has not been waited for");
    // The other rank has the message, though this thread has not waited.
    const theirs = await remote.perform({ op: "allGather", message: Uint8Array.of(3) });
    assertEquals(theirs.map((message) => [...message]), [[1, 2], [3]]);
    assertEquals(finish().map((message) => [...message]), [[1, 2], [3]]);
    // The group goes on as before.
    const again = remote.perform({ op: "allGather", message: Uint8Array.of(7) });
    assertEquals(group.perform({ op: "allGather", message: Uint8Array.of(6) }).map(([byte]) => byte), [6, 7]);
    await again;
  } finally {
    group[Symbol.dispose]();
    remote.kill();
  }
});
