import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { differentCalls, opensStep, runCall, STEP_TAG } from "../../../../optimizers/tfjs/agreement/calls.ts";
import { encodeObjection } from "../../../../optimizers/tfjs/agreement/vote.ts";
import { barrier, collective, memory, TransportError } from "../../../../transport/mod.ts";

const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const step = new Uint8Array(28);
new DataView(step.buffer).setUint32(0, STEP_TAG, true);

Deno.test("differentCalls: each message tells the call that its rank is in", () => {
  const calls: [message: Uint8Array, does: string][] = [
    [step, "opens a step"],
    [encodeObjection({ kind: "failed", what: "mine" }), "refuses a step"],
    [text(["GWmetrics", 0, [], []]), "is in syncMetrics"],
    [text(["GWrejoin", {}]), "is in rejoin"],
    [text(["GWtogether", "write", {}]), "is in saveTo"],
    [text(["GWtogether", "list", {}]), "is in restoreFrom"],
    [text({ gradwire: 1, call: "averageState" }), "is in averageState"],
    [text({ gradwire: 1, dataLoss: "given", seed: 1 }), "opens its first step, new or restored"],
    [text({ gradwire: 1, seed: 1 }), "is in rejoin"],
    [text({ gradwire: 1, "learning rate": 1 }), "compares a step"],
  ];
  for (const [message, does] of calls) {
    assertEquals(differentCalls([message, message]), undefined);
    assertEquals(differentCalls([message, text("x")]), `rank 0 ${does}, rank 1 sent 3 bytes of no call that is known`);
  }
  assertEquals(differentCalls([step, step, text(["GWrejoin"])]), "rank 0 opens a step, rank 2 is in rejoin");
  assert(opensStep(step) && !opensStep(step.subarray(1)) && !opensStep(step.subarray(0, 27)));
});

Deno.test("runCall: a lost rank may have gone on without the call, and other errors stay as they are", async () => {
  const [first, second] = memory(2).map((transport) => collective(transport, { timeout: 5000 }));
  await second![Symbol.asyncDispose]();
  const error = await assertRejects(() => runCall("do it", barrier(), first!), TransportError, "Cannot do it: ");
  assert(error.message.endsWith("All ranks must make this call, at the same point"));
  assertEquals(error.rank, 1);
  const failing = (function* () {
    yield* barrier();
  })();
  failing.next = () => {
    throw new RangeError("mine");
  };
  await assertRejects(() => runCall("do it", failing, first!), RangeError, "mine");
  await first![Symbol.asyncDispose]();
});
