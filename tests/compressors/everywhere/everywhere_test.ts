/**
 * Messages and what they decode to are the same bits in every thread, process and engine, and those that are pinned in
 * tests/golden/compressors.json. Whoever changes a wire format on purpose, or adds a factory, pins anew with
 *
 *     deno test --allow-read --allow-write --filter pinned tests/compressors/everywhere/everywhere_test.ts -- --update
 *
 * and says so in the commit: ranks of the two versions cannot train together.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert/mod.js";
import { compress, decompress, parseCompressor } from "../../../compressors/mod.ts";
import * as factories from "../../../compressors/factories.ts";
import { key } from "../../../random.ts";
import { testInChromium } from "../../in_chromium.ts";
import { configurations, digests, vectors } from "./everywhere.ts";

const golden = new URL("../../golden/compressors.json", import.meta.url);
const update = Deno.args.includes("--update");
const rank = new URL("./everywhere_rank.ts", import.meta.url);
const inexact = new URL("./everywhere_inexact.ts", import.meta.url);
const DEADLINE = 60_000;

const expected = digests();

/** What a command prints. */
async function output(args: readonly string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], signal: AbortSignal.timeout(DEADLINE) });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Names the configurations that differ: a list of 50 pairs of digests hides them. */
function assertSame(actual: Record<string, string>): void {
  assertEquals(Object.keys(actual), Object.keys(expected));
  assertEquals(configurations.filter((text) => actual[text] !== expected[text]), [], "these differ");
}

/** What a worker that runs the module posts. */
async function posted(module: URL): Promise<Record<string, string>> {
  const worker = new Worker(module, { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => (event.preventDefault(), reject(new Error(event.message)));
    });
  } finally {
    worker.terminate();
  }
}

Deno.test("everywhere: every factory is in the table", () => {
  const missing = Object.keys(factories).filter((name) => !configurations.some((text) => text.split("(")[0] === name));
  assertEquals(missing, [], "add them to tests/compressors/everywhere/everywhere.ts");
});

Deno.test("everywhere: the vectors are not sent as nothing", () => {
  // What is equal everywhere because it is empty would prove nothing.
  const k = key(1), { gaussian } = vectors();
  for (const text of configurations) {
    const compressor = parseCompressor(text), message = compress(compressor, gaussian!, k);
    assert(decompress(compressor, message, k, gaussian!.length).some((value) => value !== 0), text);
  }
  assertEquals(new Set(Object.values(expected)).size, configurations.length, "two configurations have one digest");
});

Deno.test("everywhere: wire formats are the pinned ones", async () => {
  if (update) await Deno.writeTextFile(golden, JSON.stringify(expected, null, 2) + "\n");
  const pinned: Record<string, string> = JSON.parse(await Deno.readTextFile(golden));
  assertEquals(
    Object.entries(expected).filter(([text, hex]) => pinned[text] !== hex),
    [],
    "these are not as pinned: see the head of this test to pin them",
  );
  assertEquals(Object.keys(pinned), Object.keys(expected));
});

Deno.test("everywhere: equal in a worker", async () => assertSame(await posted(rank)));

Deno.test("everywhere: equal where Math.exp, log, sin and the like are another engine's", async () => {
  assertSame(await posted(inexact));
});

Deno.test("everywhere: equal in a process that only interprets", async () => {
  assertSame(JSON.parse(await output(["run", "--quiet", "--no-lock", "--v8-flags=--jitless", rank.pathname])));
});

testInChromium<Record<string, string>>("everywhere: equal in Chromium", rank, "worker", assertSame);
