/** What a rank may send once all have met: it is refused by name, and costs no more memory than it should. */

import { verdictOn } from "./ranks.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";
import { json, kinds, packet } from "./puppet.ts";

Deno.test("a heartbeat with a body is refused as such, not read as the next header", async () => {
  const error = await verdictOn(
    packet(kinds.heartbeat, new Uint8Array(0)),
    packet(kinds.heartbeat, new Uint8Array(24)),
  );
  assertStringIncludes(error.message, "it sent a heartbeat of 24 bytes, agreed are at most 0");
  assertEquals(error.rank, 1);
});

Deno.test("packets of the handshake and of no kind are refused once all have met", async () => {
  for (const kind of [kinds.hello, kinds.welcome, kinds.ready, kinds.go, 8, 255, 256, 2 ** 32 - 1]) {
    const error = await verdictOn(json(kind, null));
    assertMatch(error.message, new RegExp(`rank 1: it was lost: it sent what is not ours: a packet of kind ${kind}$`));
    assertEquals(error.rank, 1);
  }
  const long = packet(kinds.bye, new Uint8Array(0), 65_537);
  assertStringIncludes((await verdictOn(long)).message, "a packet of 65537 bytes, agreed are at most 65536");
});
