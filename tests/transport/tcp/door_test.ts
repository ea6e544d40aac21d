import { pause, refusal } from "./ranks.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import { tcp, type Transport, TransportError } from "../../../transport/mod.ts";
import { freePort } from "../tools/ports.ts";
import { hello, json, kinds, packet, preamble, Puppet } from "./puppet.ts";

const host = "127.0.0.1";

/** A group of two that meets although strangers do something; returns what they were told. */
async function meetsDespite<T>(strangers: (port: number) => Promise<T>): Promise<T> {
  const port = freePort(), options = { size: 2, host, port, timeout: 30_000 };
  const zero = tcp({ ...options, rank: 0, run: "secret" }), told = await strangers(port);
  const ranks: Transport[] = await Promise.all([zero, tcp({ ...options, rank: 1, run: "secret" })]);
  await ranks[0]!.send(1, Uint8Array.of(7));
  assertEquals([...await ranks[1]!.receive(0)], [7]);
  for (const rank of ranks) await rank[Symbol.asyncDispose]();
  return told;
}

Deno.test("one packet of a stranger, whatever it says, does not end a launch, and is not told the run", async () => {
  const good = { rank: 1, size: 2, timeout: 30_000 }, deep = "[".repeat(30_000) + "]".repeat(30_000);
  const words = [
    hello({ ...good, size: 3 }),
    hello({ ...good, run: "other" }),
    hello({ ...good, rank: 0 }),
    hello({ ...good, rank: 5, size: 9 }),
    hello({ ...good, run: "\x1b[2J".repeat(1000) }),
    json(kinds.hello, { ...good, port: "80" }),
    json(kinds.hello, { ...good, left: -1, connectTimeout: 0, maxMessageBytes: 1, run: "secre", address: "", port: 1 }),
    packet(kinds.hello, new TextEncoder().encode(deep)),
    packet(kinds.hello, Uint8Array.of(0xff, 0xfe, 0x80)),
    packet(kinds.hello, new Uint8Array(0)),
    packet(kinds.hello, new Uint8Array(0), 2 ** 32 - 1),
    packet(kinds.ready, new Uint8Array(0)),
    packet(99, new Uint8Array(3)),
  ];
  const told = await meetsDespite((port) =>
    Promise.all(words.map(async (bytes) => {
      using stranger = await Puppet.connect(port);
      await stranger.write(preamble, bytes);
      await stranger.read(12);
      return await stranger.until(kinds.abort);
    }))
  );
  for (const answer of told) {
    assertMatch(String(answer), /"away":"for good"/);
    assert(!answer!.includes("secret"), answer);
    assert(answer!.length < 1000, answer);
  }
});

Deno.test("strangers that connect and say nothing, or a byte now and then, keep nobody out", async () => {
  await meetsDespite(async (port) => {
    const strangers: Puppet[] = [];
    for (let i = 0; i < 400; i++) strangers.push(await Puppet.connect(port));
    for (const stranger of strangers.slice(200)) await stranger.write(preamble.subarray(0, 1)).catch(() => {});
    // The first to come had to make room; so many hold a connection and no more.
    using first = strangers[0]!;
    await first.read(12);
    assertMatch(String(await first.until(kinds.abort)), /too many connections wait.*"away":"later"/);
    queueMicrotask(() => pause(3000).then(() => strangers.forEach((stranger) => stranger.close())));
  });
  await pause(3100); // for the connections to be closed
});

Deno.test("who was turned away is counted, and only some of it is kept and printed", async () => {
  const port = freePort(), zero = refusal({ rank: 0, size: 2, host, port, connectTimeout: 4000, timeout: 30_000 });
  for (let i = 0; i < 30; i++) {
    using stranger = await Puppet.connect(port);
    await stranger.write(new TextEncoder().encode(`\x9b31m${i} GET / HTTP/1.1`));
    await stranger.drain();
  }
  using mistaken = await Puppet.connect(port);
  await mistaken.write(preamble, hello({ rank: 1, size: 2, timeout: 30_000, run: "\x1b[2J" + "x".repeat(60_000) }));
  await mistaken.until(kinds.abort);
  const { message } = await zero;
  assertMatch(message, /turned away: 127\.0\.0\.1:\d+: it belongs to run "/); // the likeliest cause comes first
  assertMatch(message, /and 27 others; connectTimeout raises the limit$/);
  assert(message.length < 1500, `${message.length} characters`);
  // deno-lint-ignore no-control-regex -- what a terminal might act on
  assert(!/[\x00-\x1f\x7f-\x9f]/.test(message), message);
});

Deno.test("too many open files end nobody's launch, as long as they are too many for a while only", async () => {
  const script = `
    import { tcp } from ${JSON.stringify(new URL("../../../transport/mod.ts", import.meta.url).href)};
    Deno.addSignalListener("SIGUSR2", () => {}); // Deno (2.9) needs files of its own for this, and panics without.
    const port = Number(Deno.args[0]), files = [];
    const zero = tcp({ rank: 0, size: 2, host: "127.0.0.1", port, timeout: 20_000,
      connectTimeout: Deno.args[1] === "free" ? 60_000 : 4000 });
    const first = zero.then(() => "met", (error) => error.name + ": " + error.message);
    console.log("listening");
    try { for (;;) files.push(Deno.openSync(Deno.execPath())); } catch { /* too many */ }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    if (Deno.args[1] === "free") for (const file of files) file.close();
    console.log(await first);
    Deno.exit();`;
  const path = await Deno.makeTempFile({ suffix: ".ts" }),
    run = async (fate: string, port: number) => {
      const command = `ulimit -n 160; exec "$0" run --quiet --no-check --no-config -A "$1" ${port} ${fate}`;
      return new TextDecoder().decode(
        (await new Deno.Command("bash", { args: ["-c", command, Deno.execPath(), path], stderr: "inherit" }).output())
          .stdout,
      );
    };
  await Deno.writeTextFile(path, script);
  try {
    const port = freePort(), met = run("free", port);
    const one = await tcp({ rank: 1, size: 2, host, port, timeout: 20_000, connectTimeout: 60_000 });
    assertEquals(await met, "listening\nmet\n");
    await assertRejects(() => one.receive(0), TransportError);
    await one[Symbol.asyncDispose]();
    const other = freePort(), refused = run("keep", other), stranger = await Puppet.connect(other);
    assertMatch(
      await refused,
      /^listening\nTransportError: .*rank 1 did not come.*connections could not be accepted: .*open files/,
    );
    stranger.close();
  } finally {
    await Deno.remove(path);
  }
});
