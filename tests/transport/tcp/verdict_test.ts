import { allName, refusal } from "./ranks.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";
import { freePort } from "../tools/ports.ts";
import { hello, json, kinds, preamble, Puppet } from "./puppet.ts";

const host = "127.0.0.1", size = 4;

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
