import { refusal, refusals } from "./ranks.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";
import { tcp } from "../../../transport/mod.ts";
import { freePort } from "../tools/ports.ts";

Deno.test("tcp names a host that does not answer", async () => {
  const [refused] = await refusals({ rank: 1, connectTimeout: 600 });
  assertStringIncludes(refused!.message, "Cannot reach rank 0 at 127.0.0.1:");
  assertStringIncludes(refused!.message, "within 0.6 s");
  assertEquals(refused!.rank, 0);
});

Deno.test("tcp names a port that is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const [inUse] = await refusals({ port });
  assertEquals(inUse!.message, `Cannot listen on 127.0.0.1:${port}: the port is in use, let all ranks use another one`);
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
