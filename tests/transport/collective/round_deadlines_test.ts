import { assert, assertRejects } from "@std/assert/mod.js";
import { RoundDeadlines } from "../../../transport/collective/round_deadlines.ts";
import { collective, memory, TransportError } from "../../../transport/mod.ts";

Deno.test("in a long round a rank is waited for from when it is first needed", async () => {
  const [transport] = memory(2),
    deadlines = new RoundDeadlines(transport!, { timeout: 1000 }),
    begin = performance.now();
  const late = new Promise<void>((resolve) => setTimeout(resolve, 700)).then(() => deadlines.awaiting(1));
  const never = new Promise<never>(() => {});
  const round = { op: "allGather", message: new Uint8Array(0) } as const;
  const error = await assertRejects(
    () => deadlines.within(round, 1, never),
    TransportError,
    "heard nothing from rank 1",
  );
  assert(performance.now() - begin >= 1690, `${performance.now() - begin} ms: ${error.message}`);
  await late;
});

Deno.test("those who wait for the culprit alone speak first; those ahead of them, or far from a root, wait longer", async () => {
  const timeout = 800, begin = performance.now(), never = new Promise<never>(() => {});
  const ms = async (failing: () => Promise<unknown>) => {
    await assertRejects(failing, TransportError, "timeout raises the limit");
    return performance.now() - begin;
  };
  const gather = { op: "allGather", message: new Uint8Array(0) } as const;
  const waitsFor = (...peers: readonly number[]) => {
    const deadlines = new RoundDeadlines(memory(8)[0]!, { timeout });
    for (const peer of peers) deadlines.awaiting(peer);
    return ms(() => deadlines.within(gather, 1, never));
  };
  const [first, ahead, far] = await Promise.all([
    waitsFor(5),
    waitsFor(5, 6),
    // Nobody else begins this broadcast. Rank 7 is three ranks away from the root.
    ms(() => collective(memory(8)[7]!, { timeout }).perform({ op: "broadcast", root: 0, message: new Uint8Array(1) })),
  ]);
  assert(first >= timeout - 10, `${first} ms`);
  assert(ahead >= timeout + 4 * timeout / 8 - 10, `${ahead} ms`);
  assert(far >= timeout + 3 * timeout / 8 - 10, `${far} ms`);
});
