import { verdictOn } from "./ranks.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";
import { json, kinds, packet } from "./puppet.ts";

const encoder = new TextEncoder();

Deno.test("an abort that is none names its sender; one that is long or has escape codes is printed safely", async () => {
  for (const bytes of [encoder.encode("{"), Uint8Array.of(0x22, 0xff, 0x22), encoder.encode("[".repeat(65_000))]) {
    const error = await verdictOn(packet(kinds.abort, bytes));
    assertMatch(error.message, /rank 1: it was lost: .*it is no JSON in UTF-8/);
    assertEquals(error.rank, 1);
  }
  const deep = encoder.encode("[".repeat(32_000) + "]".repeat(32_000));
  for (const bytes of [deep, encoder.encode("null"), encoder.encode('{"rank":-1,"message":7,"by":"x"}')]) {
    const error = await verdictOn(packet(kinds.abort, bytes));
    assertEquals([error.rank, error.message], [1, "Cannot go on: rank 1 gave up: it does not say why"]);
  }
  const { message } = await verdictOn(
    json(kinds.abort, { rank: 1, message: "\x1b]0;x\x07\u202e\n" + "y".repeat(60_000) }),
  );
  assertStringIncludes(message, "gave up: \\u{1b}]0;x\\u{7}\\u{202e}\ny");
  assert(message.length < 2100, `${message.length} characters`);
});
