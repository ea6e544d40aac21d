/** What the three deadlines mean: how long ranks take to find one another, are silent, or take for a round. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert/mod.js";
import {
  broadcastChannel,
  broadcastChannelAsync,
  broadcastChannelTransport,
  type Collective,
  collective,
  connect,
  type Deadlines,
  memory,
  tcp,
  tcpBlocking,
  TransportError,
} from "../../transport/mod.ts";
import { checkDeadlines, deadlinesOf, listed, patience, seconds } from "../../transport/deadlines.ts";
import { testAtOnce } from "./tools/at_once.ts";
import { freePort } from "./tools/ports.ts";
import { hello, json, kinds, packet, preamble, Puppet } from "./tcp/puppet.ts";
import { Remote } from "./blocking/remote.ts";
import { link } from "./tcp/throttle.ts";

const host = "127.0.0.1";

/** Disposes of groups together: each waits for the others to end. */
async function end(groups: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(groups.map((group) => group[Symbol.asyncDispose]()));
}

testAtOnce("deadlines", {
  // At 40 kB a second a packet of 256 KiB takes 6.5 s, which is more than twice the deadline of 3 s.
  "a link that is slow, but not silent, loses nobody, within a packet either, blocking or not": async () => {
    const timeout = 3000, message = new Uint8Array(262_144).map((_, i) => i * 7), connectTimeout = 30_000;
    const awaited = async () => {
      const port = freePort();
      await using slow = link(port, 40_000);
      const transports = await Promise.all(
        [port, slow.port].map((port, rank) => tcp({ rank, size: 2, host, port, timeout, connectTimeout })),
      );
      const groups = transports.map((transport) => collective(transport, { timeout }));
      const begin = performance.now(), gather = { op: "allGather", message } as const;
      for (const [first, second] of await Promise.all(groups.map((group) => group.perform(gather)))) {
        assertEquals(first, message);
        assertEquals(second, message);
      }
      assert(performance.now() - begin > 2 * timeout, "the link is not slow");
      await end(groups);
    };
    const blocking = async () => {
      const port = freePort();
      await using slow = link(port, 40_000);
      const remotes = await Promise.all(
        [port, slow.port].map((port, rank) => Remote.connect({ rank, size: 2, host, port, timeout, connectTimeout })),
      );
      const root = { op: "broadcast", root: 1, message } as const;
      for (const [reply] of await Promise.all(remotes.map((remote) => remote.perform(root)))) {
        assertEquals(reply, message);
      }
      await end(remotes);
      for (const remote of remotes) remote.kill();
    };
    await Promise.all([awaited(), blocking()]);
  },
  "over TCP a rank that computes for longer than timeout is waited for; roundTimeout ends the wait": async () => {
    const gather = { op: "allGather", message: Uint8Array.of(1) } as const;
    const pair = async (deadlines: Deadlines) => {
      const port = freePort(), options = { size: 2, host, port, connectTimeout: 30_000, ...deadlines };
      return await Promise.all([0, 1].map((rank) => Remote.connect({ rank, ...options })));
    };
    const waits = async () => {
      const remotes = await pair({ timeout: 1500 }), early = remotes[0]!.perform(gather);
      await new Promise((resolve) => setTimeout(resolve, 4000));
      await Promise.all([early, remotes[1]!.perform(gather)]);
      return remotes;
    };
    const isEnded = async () => {
      const remotes = await pair({ timeout: 1500, roundTimeout: 4000 });
      const error = await assertRejects(() => remotes[0]!.perform(gather), TransportError);
      assertMatch(
        error.message,
        /round 1 \(allGather\) within 4 s: rank 1 lives, but has not sent everything; roundTimeout raises/,
      );
      assertEquals(error.rank, 1);
      return remotes;
    };
    const remotes = (await Promise.all([waits(), isEnded()])).flat();
    await end(remotes);
    for (const remote of remotes) remote.kill();
  },
  "a peer that lives but never reads is named when the round has lasted too long": async () => {
    const port = freePort(), zero = tcp({ rank: 0, size: 2, host, port, timeout: 30_000 });
    using one = await Puppet.connect(port);
    await one.write(preamble, hello({ rank: 1, size: 2, timeout: 30_000 }), json(kinds.ready, null));
    const group = collective(await zero, { timeout: 30_000, roundTimeout: 1000 });
    const header = new Uint8Array(16);
    new DataView(header.buffer).setUint32(0, 1, true);
    new DataView(header.buffer).setUint32(4, 1, true);
    await one.write(packet(kinds.data, header)); // its part of the all-gather: no bytes
    const error = await assertRejects(
      () => group.perform({ op: "allGather", message: new Uint8Array(1 << 26) }),
      TransportError,
      "rank 1 lives, but has not taken everything; roundTimeout raises the limit",
    );
    assertEquals(error.rank, 1);
    one.close();
    await group[Symbol.asyncDispose]();
  },
  "every kind of group knows roundTimeout, and names who is waited for and what raises the limit": async () => {
    const deadlines = { timeout: 30_000, roundTimeout: 600 }, name = crypto.randomUUID(), port = freePort();
    const kinds: Record<string, readonly Collective[]> = {
      memory: memory(3).map((transport) => collective(transport, deadlines)),
      tcp: (await Promise.all([0, 1, 2].map((rank) => tcp({ rank, size: 3, host, port, ...deadlines })))).map((
        transport,
      ) => collective(transport, deadlines)),
      broadcastChannelAsync: await Promise.all(
        [0, 1, 2].map((rank) => broadcastChannelAsync({ name, rank, size: 3, ...deadlines })),
      ),
      rings: (await Promise.all([0, 1, 2].map((rank) => broadcastChannelTransport({ name, rank, size: 3 })))).map((
        transport,
      ) => collective(transport, deadlines)),
    };
    await Promise.all(
      Object.entries(kinds).map(async ([kind, groups]) => {
        await Promise.all([0, 2].map(async (rank) => {
          const error = await assertRejects(
            () => groups[rank]!.perform({ op: "allReduce", vector: new Float32Array(20_000) }),
            TransportError,
            "roundTimeout raises the limit",
          );
          assertEquals(error.rank, 1, `${kind}: ${error.message}`);
        }));
        await end(groups);
      }),
    );
  },
  "a rank that is silent is named with the option that raises the limit": async () => {
    const name = crypto.randomUUID(), timeout = 500;
    const kinds: Record<string, readonly Collective[]> = {
      memory: memory(2).map((transport) => collective(transport, { timeout })),
      broadcastChannelAsync: await Promise.all(
        [0, 1].map((rank) => broadcastChannelAsync({ name, rank, size: 2, timeout, connectTimeout: 30_000 })),
      ),
    };
    for (const [kind, groups] of Object.entries(kinds)) {
      const message = new Uint8Array(3), perform = () => groups[0]!.perform({ op: "allGather", message });
      const error = await assertRejects(perform, TransportError, "; timeout raises the limit");
      assertEquals(error.rank, 1, `${kind}: ${error.message}`);
      assertMatch(
        error.message,
        /(rank 0 has heard nothing from rank 1 for 0\.\d+ s|rank 1 did not answer within 0\.5 s)/,
      );
      await end(groups);
    }
  },
});

Deno.test("in shared memory ranks have connectTimeout to meet, however short timeout is", async () => {
  const name = crypto.randomUUID(), options = { name, size: 2, timeout: 50, connectTimeout: 30_000 };
  const first = broadcastChannelAsync({ ...options, rank: 0 });
  await new Promise((resolve) => setTimeout(resolve, 400));
  await end(await Promise.all([first, broadcastChannelAsync({ ...options, rank: 1 })]));
  const alone = { name: "nobody else", rank: 1, size: 2, timeout: 30_000, connectTimeout: 200 };
  for (const join of [broadcastChannelAsync, broadcastChannelTransport]) {
    const error = await assertRejects(
      () => join(alone),
      TransportError,
      "within 0.2 s; connectTimeout raises the limit",
    );
    assertEquals(error.rank, 0);
  }
});

Deno.test("a process that was stopped for a while has not waited meanwhile", async () => {
  const name = crypto.randomUUID(), { now } = performance;
  const groups = await Promise.all(
    [0, 1].map((rank) => broadcastChannelAsync({ name, rank, size: 2, timeout: 20_000, roundTimeout: 25_000 })),
  );
  let slept = 0;
  performance.now = () => now.call(performance) + slept;
  try {
    const message = new Uint8Array(1), early = groups[0]!.perform({ op: "allGather", message });
    await new Promise((resolve) => setTimeout(resolve, 50));
    slept = 3_600_000;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all([early, groups[1]!.perform({ op: "allGather", message })]);
  } finally {
    performance.now = now;
  }
  await end(groups);
});

Deno.test("deadlines that are none are refused wherever they are given, before anything is connected", async () => {
  const at = { rank: 0, size: 2, host, port: 1 }, channel = { name: "n", rank: 0, size: 2 };
  const makers: Record<string, (deadlines: Deadlines) => unknown> = {
    tcp: (deadlines) => tcp({ ...at, ...deadlines }),
    tcpBlocking: (deadlines) => tcpBlocking({ ...at, ...deadlines }),
    broadcastChannel: (deadlines) => broadcastChannel({ ...channel, ...deadlines }),
    broadcastChannelAsync: (deadlines) => broadcastChannelAsync({ ...channel, ...deadlines }),
    connect: (deadlines) => connect(deadlines),
  };
  for (const [maker, make] of Object.entries(makers)) {
    for (const name of ["connectTimeout", "timeout", "roundTimeout"] as const) {
      for (const value of [0, -1, NaN, 2 ** 31, "5" as unknown as number]) {
        const error = await assertRejects(async () => await make({ [name]: value }), RangeError, undefined, maker);
        assertMatch(
          error.message,
          new RegExp(`${name} is "?${value}"?, expected a number > 0 and < 2147483648, in ms`),
        );
      }
    }
    await assertRejects(async () => await make({ timeout: Infinity }), RangeError, "timeout is Infinity");
  }
  const [transport] = memory(2);
  assertThrows(
    () => collective(transport!, { roundTimeout: 0 }),
    RangeError,
    "roundTimeout is 0, expected a number > 0",
  );
  collective(transport!, { roundTimeout: Infinity });
});

Deno.test("deadlines that are given are passed on, and messages name them and the ranks in words", () => {
  assertEquals(deadlinesOf({ timeout: 5, roundTimeout: undefined }), { timeout: 5 });
  checkDeadlines("connect", { timeout: 5, roundTimeout: Infinity });
  assertThrows(
    () => checkDeadlines("connect", { timeout: 0 }),
    RangeError,
    "Cannot connect: timeout is 0, expected a number > 0",
  );
  assertEquals([seconds(300), seconds(30_000), listed([2]), listed([1, 3])], ["0.3 s", "30 s", "rank 2", "ranks 1, 3"]);
});

Deno.test("of more than two ranks the one with the higher number waits a quarter longer", () => {
  assertEquals([patience(1000, 2, 1, 3), patience(1000, 1, 2, 3), patience(1000, 1, 0, 2)], [1250, 1000, 1000]);
});
