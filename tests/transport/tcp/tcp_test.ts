import { connected, refusals } from "./ranks.ts";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert/mod.js";
import fc from "fast-check";
import { collectiveProperties, collectiveTraffic, transportProperties } from "../../../testing/mod.ts";
import { collective, tcp, type Transport, TransportError } from "../../../transport/mod.ts";
import { freePort } from "../tools/ports.ts";

/** A rank that says hello as it should and then whatever it likes. */
async function impostor(then: Uint8Array): Promise<{ rank: Transport; end: () => void }> {
  const port = freePort(), first = tcp({ rank: 0, size: 2, host: "127.0.0.1", port, timeout: 3000 });
  const conn = await connectTo(port);
  for (const bytes of [preamble, hello(3000), ready]) await write(conn, bytes);
  const rank = await first;
  await write(conn, then);
  return { rank, end: () => conn.close() };
}

/** What rank 1 says when it connects with rank 0. */
function hello(timeout: number): Uint8Array<ArrayBuffer> {
  const json = { rank: 1, size: 2, timeout, maxMessageBytes: 2 ** 30, run: "", address: "127.0.0.1", port: 1 };
  return packet(2, new TextEncoder().encode(JSON.stringify(json)));
}

const preamble = new TextEncoder().encode("GRADWIRE\x01\0\0\0"), ready = packet(4, new TextEncoder().encode("null"));

function packet(kind: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + payload.byteLength), view = new DataView(bytes.buffer);
  view.setUint32(0, payload.byteLength, true);
  view.setUint32(4, kind, true);
  bytes.set(payload, 8);
  return bytes;
}

async function connectTo(port: number): Promise<Deno.TcpConn> {
  for (;;) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10)); // The rank is about to listen.
    }
  }
}

async function write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) done += await conn.write(bytes.subarray(done));
}

/** Says something and returns the answer. */
async function say(port: number, words: string): Promise<string> {
  const conn = await connectTo(port);
  await write(conn, new TextEncoder().encode(words));
  return await new Response(conn.readable).text();
}

for (const { name, check } of transportProperties((size) => connected(size))) Deno.test(`tcp: ${name}`, check);

for (
  const { name, check } of collectiveProperties(async (size, timeout) => ({
    groups: (await connected(size)).map((transport) => collective(transport, { timeout })),
  }), { inRankOrder: true, traffic: collectiveTraffic(8), timeout: 500, runs: 5 })
) Deno.test(`collective over tcp: ${name}`, check);

Deno.test("tcp names the ranks that do not come, on every rank that came", async () => {
  for (const error of await refusals({ connectTimeout: 600 }, { rank: 2, connectTimeout: 600 })) {
    assertMatch(error.message, /rank 1 did not come within 0.6 s/);
    assertStringIncludes(error.message, "connectTimeout raises the limit");
    assertEquals(error.rank, 1);
  }
});

Deno.test("tcp turns a stranger away and goes on; at the end it says what the stranger said", async () => {
  const port = freePort(), options = { size: 2, host: "127.0.0.1", port, timeout: 5000 };
  const first = tcp({ ...options, rank: 0 });
  const answer = await say(port, "GET / HTTP/1.1\r\n\r\n");
  assertStringIncludes(answer, "sent a message that is not ours");
  const ranks = await Promise.all([first, tcp({ ...options, rank: 1 })]);
  await ranks[0].send(1, Uint8Array.of(1));
  assertEquals((await ranks[1].receive(0))[0], 1);
  for (const rank of ranks) await rank[Symbol.asyncDispose]();

  const alone = tcp({ ...options, rank: 0, timeout: 500 });
  await say(port, "SSH-2.0-OpenSSH\r\n");
  const error = await assertRejects(() => alone, TransportError, "did not come within 0.5 s");
  assertStringIncludes(error.message, 'sent a message that is not ours: "SSH-2.0-OpenSSH\\r"');
});

Deno.test("tcp refuses another version of the format, and says which", async () => {
  const port = freePort(), options = { size: 2, host: "127.0.0.1", port, timeout: 5000 };
  const first = tcp({ ...options, rank: 0, connectTimeout: 1000 });
  const refused = assertRejects(() => first, TransportError, "speaks version 7 of the format, this is version 1");
  assertStringIncludes(await say(port, "GRADWIRE\x07\0\0\0"), "speaks version 7");
  await refused;
  // A stranger of another version does not end the wait of those that belong here.
  const again = tcp({ ...options, rank: 0 });
  await say(port, "GRADWIRE\x07\0\0\0");
  for (const rank of await Promise.all([again, tcp({ ...options, rank: 1 })])) await rank[Symbol.asyncDispose]();
});

Deno.test("tcp tells a server of another kind at the other end", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const serve = (async () => {
    using conn = await listener.accept();
    await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await conn.read(new Uint8Array(1000));
  })();
  const connecting = tcp({ rank: 1, size: 2, host: "127.0.0.1", port, timeout: 3000 });
  const error = await assertRejects(() => connecting, TransportError, 'not ours: "HTTP/1.1 400 Bad"');
  assertEquals(error.rank, 0);
  await serve;
});

Deno.test("tcp: several groups of the same ranks can meet at the same port, one after the other", async () => {
  const size = 3, port = freePort();
  const rank = async (rank: number) => {
    const groups: Transport[] = [];
    for (const run of ["", "1", "2", "3"]) {
      groups.push(await tcp({ rank, size, host: "127.0.0.1", port, run, timeout: 5000 }));
    }
    const next = (rank + 1) % size, before = (rank + 2) % size;
    for (const [i, group] of groups.entries()) await group.send(next, Uint8Array.of(i, rank));
    for (const [i, group] of groups.entries()) assertEquals(await group.receive(before), Uint8Array.of(i, before));
    for (const group of groups) await group[Symbol.asyncDispose]();
  };
  await Promise.all([0, 1, 2].map(rank));
});

Deno.test("tcp refuses a packet longer than agreed, of an unknown kind, and one that ends too early", async () => {
  const long = packet(0, new Uint8Array(0));
  new DataView(long.buffer).setUint32(0, 2 ** 31, true);
  for (
    const [bytes, what] of [
      [long, "it sent a packet of 2147483648 bytes, agreed are at most 1073741840"],
      [packet(99, new Uint8Array(0)), "it sent what is not ours: a packet of kind 99"],
      [packet(0, new Uint8Array(100)).subarray(0, 50), "the connection ended within a packet"],
    ] as const
  ) {
    const { rank, end } = await impostor(bytes);
    const receiving = rank.receive(1);
    if (what.includes("ended")) end();
    const error = await assertRejects(() => receiving, TransportError, what);
    assertEquals(error.rank, 1);
    if (!what.includes("ended")) end();
    await rank[Symbol.asyncDispose]();
  }
});

Deno.test("tcp refuses to send a message longer than agreed", async () => {
  const ranks = await connected(2, { maxMessageBytes: 1000 });
  await assertRejects(() => ranks[0]!.send(1, new Uint8Array(2000)), RangeError, "agreed are at most 1016");
  for (const rank of ranks) await rank[Symbol.asyncDispose]();
});

Deno.test("tcp notices a peer that has gone silent, between rounds and while nobody waits for it", async () => {
  const port = freePort(), first = tcp({ rank: 0, size: 2, host: "127.0.0.1", port, timeout: 300, heartbeat: 50 });
  const conn = await connectTo(port);
  for (const bytes of [preamble, hello(300), ready]) await write(conn, bytes);
  const rank = await first, timer = setTimeout(() => rank[Symbol.asyncDispose](), 15_000);
  const error = await assertRejects(() => rank.receive(1), TransportError, "rank 0 has heard nothing from it for 0.");
  clearTimeout(timer);
  assertEquals(error.rank, 1);
  await rank[Symbol.asyncDispose]();
  conn.close();
});

Deno.test("tcp heartbeats keep an idle group alive", async () => {
  const ranks = await connected(2, { timeout: 900, heartbeat: 50, connectTimeout: 30_000 });
  await new Promise((resolve) => setTimeout(resolve, 2700));
  await ranks[0]!.send(1, Uint8Array.of(5));
  assertEquals((await ranks[1]!.receive(0))[0], 5);
  for (const rank of ranks) await rank[Symbol.asyncDispose]();
});

Deno.test("tcp: whatever strangers say, the ranks find each other; whatever a peer says, it ends in an error", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.uint8Array({ maxLength: 64 }).map((tail) => Uint8Array.of(...preamble, ...tail)),
    fc.tuple(fc.nat(9), fc.uint8Array({ maxLength: 40 })).map(([kind, tail]) => {
      return Uint8Array.of(...preamble, ...packet(kind, tail));
    }),
    fc.json().map((json) => Uint8Array.of(...preamble, ...packet(2, new TextEncoder().encode(json)))),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 4 }), bytes, async (strangers, nonsense) => {
      const port = freePort(), first = tcp({ rank: 0, size: 2, host: "127.0.0.1", port, timeout: 5000 });
      for (const words of strangers) {
        using conn = await connectTo(port);
        await write(conn, Uint8Array.from(words));
      }
      using conn = await connectTo(port);
      for (const bytes of [preamble, hello(5000), ready]) await write(conn, bytes);
      const group = collective(await first, { timeout: 5000 });
      const failing = assertRejects(() => group.perform({ op: "allGather", message: nonsense }), TransportError);
      await write(conn, Uint8Array.from(nonsense));
      await conn.closeWrite();
      assertEquals((await failing).rank, 1);
      await group[Symbol.asyncDispose]();
    }),
    { numRuns: 30, seed: 1 },
  );
});
