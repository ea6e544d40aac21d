import { assertEquals, assertRejects } from "@std/assert/mod.js";
import { tcpKind } from "../../../transport/tcp/kind_tcp.ts";

Deno.test("tcp: ranks meet at the address that is given, else at a port of this machine under a name of their own", () => {
  assertEquals(tcpKind.meetingPoint({ host: "::1", port: 9 }), { transport: "tcp", host: "::1", port: 9 });
  const [one, other] = [tcpKind.meetingPoint(), tcpKind.meetingPoint()];
  assertEquals([one.host, one.run === other.run], ["127.0.0.1", false]);
});

Deno.test("tcp: a process is told where the ranks meet by variables, and must reach that host", () => {
  const point = { transport: "tcp", host: "h", port: 9 } as const;
  assertEquals(tcpKind.environment!(point), { MASTER_ADDR: "h", MASTER_PORT: "9", GRADWIRE_RUN: "" });
  assertEquals(tcpKind.environment!({ ...point, run: "r" }).GRADWIRE_RUN, "r");
  assertEquals(tcpKind.host!(point), "h");
});

Deno.test("tcp: a meeting that fails does not keep the next one from its turn", async () => {
  const place = { rank: 0, size: 2, args: [], meeting: { transport: "tcp", host: "127.0.0.1", port: 0 } } as const;
  for (let i = 0; i < 2; i++) await assertRejects(() => tcpKind.join(place, {}), RangeError, "port is");
});
