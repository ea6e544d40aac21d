/** How the ranks of a TCP group find each other, and whom they blame when they do not. */

import { allName, refusal } from "./ranks.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";
import { tcp, type TransportError } from "../../../transport/mod.ts";
import { freePort } from "../tools/ports.ts";
import { json, kinds, moveTo, phases, preamble, Puppet } from "./puppet.ts";

const host = "127.0.0.1", size = 4;

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

Deno.test("a rank that is too late finds nobody, and the group goes on", async () => {
  const port = freePort(), options = { size: 2, host, port, timeout: 30_000 };
  const ranks = await Promise.all([0, 1].map((rank) => tcp({ ...options, rank })));
  const late = await refusal({ ...options, rank: 1, connectTimeout: 500 });
  assertEquals(late.rank, 0);
  await ranks[0]!.send(1, Uint8Array.of(9));
  assertEquals([...await ranks[1]!.receive(0)], [9]);
  for (const rank of ranks) await rank[Symbol.asyncDispose]();
});
