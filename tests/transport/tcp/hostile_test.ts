/** What a rank may send once all have met: it is refused by name, and costs no more memory than it should. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert/mod.js";
import { broadcastChannelTransport, tcp, type Transport, TransportError } from "../../../transport/mod.ts";
import { Peer } from "../../../transport/tcp/peer.ts";
import { printable, quoted } from "../../../transport/tcp/printable.ts";
import type { Wire } from "../../../transport/tcp/wire.ts";
import { freePort } from "../ports.ts";
import { hello, json, kinds, packet, preamble, Puppet } from "./puppet.ts";

const encoder = new TextEncoder();

/** Rank 0 of two, connected with a rank 1 that is moved by hand. */
async function pair(timeout = 20_000): Promise<{ rank: Transport; other: Puppet }> {
  const port = freePort(), options = { rank: 0, size: 2, host: "127.0.0.1", port, timeout, connectTimeout: 30_000 };
  const connecting = tcp(options), other = await Puppet.connect(port);
  await other.write(preamble, hello({ rank: 1, size: 2, timeout }), json(kinds.ready, null));
  return { rank: await connecting, other };
}

/** What rank 0 says of what rank 1 sends. */
async function verdict(...bytes: readonly Uint8Array[]): Promise<TransportError> {
  const { rank, other } = await pair();
  await other.write(...bytes);
  const error = await assertRejects(() => rank.receive(1), TransportError);
  other.close();
  await rank[Symbol.asyncDispose]();
  return error;
}

Deno.test("a heartbeat with a body is refused as such, not read as the next header", async () => {
  const error = await verdict(packet(kinds.heartbeat, new Uint8Array(0)), packet(kinds.heartbeat, new Uint8Array(24)));
  assertStringIncludes(error.message, "it sent a heartbeat of 24 bytes, agreed are at most 0");
  assertEquals(error.rank, 1);
});

Deno.test("packets of the handshake and of no kind are refused once all have met", async () => {
  for (const kind of [kinds.hello, kinds.welcome, kinds.ready, kinds.go, 8, 255, 256, 2 ** 32 - 1]) {
    const error = await verdict(json(kind, null));
    assertMatch(error.message, new RegExp(`rank 1: it was lost: it sent what is not ours: a packet of kind ${kind}$`));
    assertEquals(error.rank, 1);
  }
  const long = packet(kinds.bye, new Uint8Array(0), 65_537);
  assertStringIncludes((await verdict(long)).message, "a packet of 65537 bytes, agreed are at most 65536");
});

Deno.test("an abort that is none names its sender; one that is long or has escape codes is printed safely", async () => {
  for (const bytes of [encoder.encode("{"), Uint8Array.of(0x22, 0xff, 0x22), encoder.encode("[".repeat(65_000))]) {
    const error = await verdict(packet(kinds.abort, bytes));
    assertMatch(error.message, /rank 1: it was lost: .*it is no JSON in UTF-8/);
    assertEquals(error.rank, 1);
  }
  const deep = encoder.encode("[".repeat(32_000) + "]".repeat(32_000));
  for (const bytes of [deep, encoder.encode("null"), encoder.encode('{"rank":-1,"message":7,"by":"x"}')]) {
    const error = await verdict(packet(kinds.abort, bytes));
    assertEquals([error.rank, error.message], [1, "Cannot go on: rank 1 gave up: it does not say why"]);
  }
  const { message } = await verdict(
    json(kinds.abort, { rank: 1, message: "\x1b]0;x\x07\u202e\n" + "y".repeat(60_000) }),
  );
  assertStringIncludes(message, "gave up: \\u{1b}]0;x\\u{7}\\u{202e}\ny");
  assert(message.length < 2100, `${message.length} characters`);
});

Deno.test("what is announced is not allocated before it comes", async () => {
  const { rank, other } = await pair(1500), before = Deno.memoryUsage().external;
  await other.write(packet(kinds.data, new Uint8Array(10), 2 ** 30));
  const receiving = assertRejects(() => rank.receive(1), TransportError, "rank 0 has heard nothing from it for 1.");
  await new Promise((resolve) => setTimeout(resolve, 500));
  const more = Deno.memoryUsage().external - before;
  assert(more < 2 ** 24, `${more} bytes for 10 that came`);
  assertEquals((await receiving).rank, 1);
  other.close();
  await rank[Symbol.asyncDispose]();
});

Deno.test("packets that nobody receives are not read without end, empty ones neither", async () => {
  for (const length of [0, 1, 1000, 262_160, 1 << 23]) {
    const peer = new Peer(1, {} as Wire), packet = new Uint8Array(length);
    let count = 0;
    // The next one is read when there is room again: at once, or when something has been received.
    for (let room = true; room && count < 20_000; count++) {
      peer.arrived(packet);
      room = await Promise.race([peer.room().then(() => true), Promise.resolve().then(() => false)]);
    }
    assert(count >= 2 && count <= 8500, `${count} packets of ${length} bytes`);
    assert(length > 1 << 22 || count * length <= (1 << 22) + 2 * length, `${count} packets of ${length} bytes`);
    assert(peer.paused);
    let going = false;
    for (let left = count; left > 0; left--) {
      await peer.receive();
      going ||= !peer.paused;
    }
    assert(going, "it is read again when packets have been received");
  }
});

Deno.test("a member's flood of empty packets is slowed down, and what it sent is received", async () => {
  const { rank, other } = await pair(),
    flood = new Uint8Array(8 * 10_000),
    total = 3_000_000,
    before = Deno.memoryUsage();
  let sent = 0;
  const sending = (async () => {
    for (; sent < total; sent += 10_000) await other.write(flood);
  })();
  // Nobody receives until no more is taken. What lies in the system's buffers, some MB, is TCP's to limit.
  for (let last = -1; last !== sent;) {
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  assert(sent < total, "all of it was taken although nobody received");
  const after = Deno.memoryUsage(), more = after.external + after.heapUsed - before.external - before.heapUsed;
  assert(more < 2 ** 25, `${more} bytes for ${sent} empty packets`);
  for (let i = 0; i < 5000; i++) assertEquals((await rank.receive(1)).length, 0);
  other.close();
  await Promise.all([sending.catch(() => {}), rank[Symbol.asyncDispose]()]);
});

Deno.test("a message that comes byte by byte is received", async () => {
  const { rank, other } = await pair(3000), receiving = rank.receive(1);
  for (const byte of packet(kinds.data, Uint8Array.of(1, 2, 3))) {
    await other.write(Uint8Array.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 400)); // 11 bytes, 4.4 s: longer than the deadline
  }
  assertEquals([...await receiving], [1, 2, 3]);
  other.close();
  await rank[Symbol.asyncDispose]();
});

Deno.test("messages longer than what is allocated at once arrive unaltered", async () => {
  const { rank, other } = await pair();
  for (const length of [(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_001]) {
    const bytes = new Uint8Array(length).map((_, i) => i * 31 >> 3), writing = other.write(packet(kinds.data, bytes));
    assertEquals(await rank.receive(1), bytes);
    await writing;
  }
  other.close();
  await rank[Symbol.asyncDispose]();
});

Deno.test("foreign text is quoted, cut and cannot act on a terminal", () => {
  assertEquals(quoted("a\x1b[31m\x9b\u2028\u202eé漢\ud800"), '"a\\u001b[31m\\u{9b}\\u{2028}\\u{202e}é漢\\ud800"');
  assertEquals(quoted("x".repeat(100), 3), '"xxx"…');
  assertEquals(quoted("😀😀", 1), '"😀"…');
  assertEquals(printable("one\ntwo\r\x7f"), "one\ntwo\\u{d}\\u{7f}");
  assertEquals(printable("x".repeat(10), 4), "xxxx…");
});

Deno.test("rings of any capacity carry more than their counters count", async () => {
  // 640 bytes do not divide 2³²; the counters go round every 1 280 bytes.
  const name = crypto.randomUUID(),
    ranks = await Promise.all(
      [0, 1].map((rank) => broadcastChannelTransport({ name, rank, size: 2, capacity: 640 })),
    );
  for (let i = 0; i < 300; i++) {
    const message = new Uint8Array(i * 7 % 1500).map((_, k) => i + k), sending = ranks[0]!.send(1, message);
    assertEquals(await ranks[1]!.receive(0), message);
    await sending;
  }
  await Promise.all(ranks.map((rank) => rank[Symbol.asyncDispose]()));
});
