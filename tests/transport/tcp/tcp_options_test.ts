import type {} from "./ranks.ts";
import { assertRejects } from "@std/assert/mod.js";
import { tcp } from "../../../transport/mod.ts";

Deno.test("tcp refuses options that are out of range or unknown", async () => {
  const good = { rank: 0, size: 2, host: "127.0.0.1", port: 1234 };
  for (
    const bad of [
      { rank: 2 },
      { rank: -1 },
      { size: 0 },
      { port: 0 },
      { port: 65536 },
      { timeout: 0 },
      {
        heartbeat: NaN,
      },
      { heartbeat: 10_001 },
      { connectTimeout: Infinity },
      { roundTimeout: 0 },
      { run: "x".repeat(257) },
    ]
  ) await assertRejects(() => tcp({ ...good, ...bad }), RangeError, "Cannot connect: ");
  const unknown = { ...good, prot: 1 };
  await assertRejects(
    () => tcp(unknown),
    TypeError,
    'there is no option "prot", expected one of rank, size, host, port',
  );
});
