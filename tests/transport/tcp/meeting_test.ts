/** How the ranks of a TCP group find each other, and whom they blame when they do not. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert/mod.js";
import { tcp, type TcpOptions, type Transport, TransportError } from "../../../transport/mod.ts";
import { freePort } from "../ports.ts";
import { hello, json, kinds, moveTo, packet, phases, preamble, Puppet } from "./puppet.ts";

const host = "127.0.0.1", size = 4;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Why a rank did not connect. */
async function refusal(options: TcpOptions, delay = 0): Promise<TransportError> {
  await pause(delay);
  return await tcp(options).then(async (transport) => {
    await transport[Symbol.asyncDispose]();
    throw new Error(`rank ${options.rank} is connected`);
  }, (error) => {
    assert(error instanceof TransportError, String(error));
    return error;
  });
}

/** Every rank but the culprit names it. */
function allName(culprit: number, errors: readonly TransportError[], what: string): void {
  for (const error of errors) assertEquals(error.rank, culprit, `${what}: ${error.message}`);
}

Deno.test("a rank that never comes is named by all, whoever starts first", async () => {
  // The ranks come in any order. A rank that is late makes the others wait no longer than they said they would.
  const orders = [[0, 0, 0], [700, 0, 0], [0, 700, 0], [700, 0, 350], [0, 350, 700], [700, 350, 0]];
  await Promise.all(orders.flatMap((delays) =>
    [1, 2, 3].map(async (culprit) => {
      const port = freePort(), ranks = [0, 1, 2, 3].filter((rank) => rank !== culprit);
      const errors = await Promise.all(
        ranks.map((rank, i) => refusal({ rank, size, host, port, connectTimeout: 3000 }, delays[i])),
      );
      allName(culprit, errors, `rank ${culprit} never comes`);
      for (const { message } of errors) {
        assertMatch(message, new RegExp(`rank ${culprit} did not come within 3 s.*connectTimeout raises the limit`));
      }
    })
  ));
});

Deno.test("the first to give up ends the wait for all, who are told how long it waited", async () => {
  const port = freePort(), begin = performance.now();
  const errors = await Promise.all(
    [60_000, 1500, 60_000].map((connectTimeout, rank) => refusal({ rank, size, host, port, connectTimeout })),
  );
  allName(3, errors, "rank 3 never comes");
  for (const { message } of errors) assertStringIncludes(message, "rank 3 did not come within 1.5 s of rank 1's start");
  assert(performance.now() - begin < 30_000);
});

Deno.test("when rank 0 never comes, all others name it", async () => {
  const port = freePort();
  const errors = await Promise.all([1, 2, 3].map((rank) => refusal({ rank, size, host, port, connectTimeout: 700 })));
  allName(0, errors, "rank 0 never comes");
  for (const { message } of errors) {
    assertStringIncludes(message, `Cannot reach rank 0 at 127.0.0.1:${port} within 0.7 s`);
  }
});

for (const fate of ["is stopped", "is killed"]) {
  for (const phase of phases.slice(1)) {
    if (phase === "is ready" && fate === "is stopped") continue; // All have met: that is for the rounds.
    Deno.test(`a rank that ${phase} and ${fate} is named by all`, async () => {
      await Promise.all([1, 2, 3].map(async (culprit) => {
        const port = freePort(),
          timeout = fate === "is killed" ? 30_000 : 2500,
          ranks = [0, 1, 2, 3].filter((rank) => rank !== culprit);
        const begin = performance.now();
        // A rank that is killed when all have met is found out by the first round.
        const connecting = ranks.map(async (rank) => {
          try {
            const transport = await tcp({ rank, size, host, port, timeout });
            const lost = transport.receive(culprit).then(() => undefined, (error) => error as TransportError);
            const error = (await lost)!;
            await transport[Symbol.asyncDispose]();
            return error;
          } catch (error) {
            return error as TransportError;
          }
        });
        const kill = await moveTo(phase, { rank: culprit, size, timeout, port });
        if (fate === "is killed") kill();
        const all = Promise.all(connecting);
        await all;
        assert(
          phase === "has said hello" || performance.now() - begin < 25_000,
          "a connection that ends is noticed at once",
        );
        // A rank that comes when rank 0 has given up already finds nobody.
        const errors = (await all).filter(({ message }) => !message.includes("Cannot reach rank 0"));
        assert(phase === "has said hello" || errors.length === 3, "all have come");
        allName(culprit, errors, `rank ${culprit} ${phase} and ${fate}`);
        if (fate === "is stopped") kill();
      }));
    });
  }
}

Deno.test("when rank 0 is stopped in the middle, all others name it", async () => {
  await Promise.all([false, true].map(async (welcomes) => {
    const listener = Deno.listen({ hostname: host, port: 0 }), { port } = listener.addr as Deno.NetAddr;
    const errors = [1, 2, 3].map((rank) => refusal({ rank, size, host, port, timeout: 1500 }));
    const puppets: Puppet[] = [], addresses: unknown[] = [[], [], [], []];
    while (puppets.length < 3) puppets.push(new Puppet(await listener.accept()));
    for (const puppet of puppets) {
      await puppet.write(preamble);
      await puppet.read(12);
      const { rank, address, port } = JSON.parse(await puppet.until(kinds.hello) ?? "{}");
      addresses[rank] = [address, port];
    }
    if (welcomes) { for (const puppet of puppets) await puppet.write(json(kinds.welcome, [...addresses, 1000])); }
    allName(0, await Promise.all(errors), `rank 0 is stopped ${welcomes ? "after" : "before"} its welcome`);
    listener.close();
    for (const puppet of puppets) puppet.close();
  }));
});

Deno.test("two ranks that do not reach each other are named as such on all ranks", async () => {
  // Rank 1 tells of a port where nobody listens, as behind a firewall.
  const port = freePort(), timeout = 1500;
  const others = [0, 2].map((rank) => refusal({ rank, size: 3, host, port, timeout }));
  const one = await Puppet.connect(port);
  await one.write(preamble, hello({ rank: 1, size: 3, timeout, port: freePort() }));
  await one.read(12);
  await one.until(kinds.welcome);
  const complaint = { rank: 2, message: "rank 2 did not come" };
  await one.write(json(kinds.abort, complaint));
  const told = JSON.parse(await one.until(kinds.abort) ?? "{}");
  const errors = await Promise.all(others);
  allName(1, errors, "rank 2 does not reach rank 1");
  assertEquals(told.rank, 1);
  for (const message of [...errors.map(({ message }) => message), told.message]) {
    assertMatch(message, /rank 2 gave up: Cannot reach rank 1 at 127\.0\.0\.1:\d+ within/);
  }
  one.close();
});

Deno.test("the first complaint of a third rank does not hide who is silent", async () => {
  // Rank 1 complains of rank 3, which lives and complains of rank 2, which is silent.
  const port = freePort(), timeout = 60_000;
  const zero = refusal({ rank: 0, size, host, port, timeout }), puppets: Puppet[] = [];
  for (const rank of [1, 2, 3]) {
    const puppet = await Puppet.connect(port);
    puppets.push(puppet);
    await puppet.write(preamble, hello({ rank, size, timeout }));
  }
  await puppets[0]!.write(json(kinds.abort, { rank: 3, message: "no answer" }));
  await puppets[2]!.write(json(kinds.abort, { rank: 2, message: "no answer" }));
  const error = await zero;
  assertEquals(error.rank, 2, error.message);
  assertStringIncludes(error.message, "rank 3 gave up: no answer");
  for (const puppet of puppets) puppet.close();
});

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

Deno.test("a host that is not known yet is asked for again, until it is time to say so", async () => {
  const options = { size: 2, host: "rank-0.invalid", port: freePort(), connectTimeout: 700 };
  const errors = await Promise.all([0, 1].map((rank) => refusal({ ...options, rank })));
  for (const { message, rank } of errors) {
    assertEquals(rank, 0);
    assertMatch(message, /rank-0\.invalid:\d+ within 0\.7 s: .*; connectTimeout raises the limit/);
  }
  // As soon as the name is known, rank 0 listens.
  const { listen, connect } = Deno, begin = performance.now(), known = () => performance.now() - begin > 400;
  const lookUp = <T extends { hostname?: string }>(at: T): T => {
    if (at.hostname !== "rank-0.invalid") return at;
    if (!known()) throw new Error("failed to lookup address information");
    return { ...at, hostname: "127.0.0.1" };
  };
  try {
    Deno.listen = ((at: Deno.TcpListenOptions) => listen(lookUp(at))) as typeof listen;
    Deno.connect = (async (at: Deno.ConnectOptions) => await connect(lookUp(at))) as typeof connect;
    const at = { ...options, connectTimeout: 30_000, bind: "127.0.0.1" };
    const ranks = await Promise.all([tcp({ ...at, rank: 0, bind: "rank-0.invalid" }), tcp({ ...at, rank: 1 })]);
    for (const rank of ranks) await rank[Symbol.asyncDispose]();
  } finally {
    Deno.listen = listen;
    Deno.connect = connect;
  }
});

Deno.test("ranks meet at an IPv6 address, and its port is told apart", async () => {
  const options = { size: 3, host: "::1", timeout: 30_000 };
  let port: number;
  try {
    using probe = Deno.listen({ hostname: "::1", port: 0 });
    port = (probe.addr as Deno.NetAddr).port;
  } catch {
    return; // This machine has no IPv6.
  }
  const ranks = await Promise.all([0, 1, 2].map((rank) => tcp({ ...options, port, rank })));
  await ranks[2]!.send(1, Uint8Array.of(5));
  assertEquals([...await ranks[1]!.receive(2)], [5]);
  for (const rank of ranks) await rank[Symbol.asyncDispose]();
  const error = await refusal({ ...options, port, rank: 1, connectTimeout: 300 });
  assertStringIncludes(error.message, `Cannot reach rank 0 at [::1]:${port} within 0.3 s`);
});

Deno.test("a rank that is too late finds nobody, and the group goes on", async () => {
  const port = freePort(), options = { size: 2, host, port, timeout: 30_000 };
  const ranks = await Promise.all([0, 1].map((rank) => tcp({ ...options, rank })));
  const late = await refusal({ ...options, rank: 1, connectTimeout: 500 });
  assertEquals(late.rank, 0);
  await ranks[0]!.send(1, Uint8Array.of(9));
  assertEquals([...await ranks[1]!.receive(0)], [9]);
  for (const rank of ranks) await rank[Symbol.asyncDispose]();
});
