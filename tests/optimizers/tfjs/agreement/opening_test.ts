import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { exchangeOpenings, type Opening } from "../../../../optimizers/tfjs/agreement/opening.ts";
import { runTogether } from "../../../../transport/mod.ts";

const opening = (changes: Partial<Opening> = {}): Opening => ({
  optimizer: 1,
  step: 7,
  nonFinite: -1,
  hash: "00ff00ff00ff00ff",
  present: [true, false, true],
  ...changes,
});
const exchange = (...openings: Opening[]) =>
  runTogether(openings.map((mine) => exchangeOpenings(mine, () => ({ rate: mine.hash }))));

Deno.test("an opening arrives as it was sent, with steps up to 2^53", () => {
  for (const step of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 53 - 1]) {
    const sent = [opening({ step, nonFinite: 2 }), opening({ step, present: [false, true, true] })];
    for (const received of exchange(...sent)) assertEquals(received, sent);
  }
});

Deno.test("steps that differ by 2^32 are told apart, and who took fewer", () => {
  assertThrows(
    () => exchange(opening({ step: 3 }), opening({ step: 3 + 2 ** 32 })),
    Error,
    "Cannot take step 3: rank 1 is at step 4294967299. It took more steps than you",
  );
  assertThrows(() => exchange(opening({ step: 4 }), opening({ step: 3 })), Error, "It took fewer steps than you");
});

Deno.test("hashes that differ lead to the facts, and damaged ones are refused too", () => {
  assertThrows(
    () => exchange(opening(), opening({ hash: "0000000000000001" })),
    Error,
    "Cannot take step 7: rate differs",
  );
  const alike = [opening(), opening({ hash: "0000000000000001" })];
  assertThrows(
    () => runTogether(alike.map((mine) => exchangeOpenings(mine, () => ({ rate: 1 })))),
    Error,
    "a message was damaged",
  );
});

Deno.test("what opens no step is refused with what it is", () => {
  const send = (message: Uint8Array) =>
    runTogether([
      exchangeOpenings(opening(), () => ({})),
      (function* () {
        yield { op: "allGather", message } as const;
        return [];
      })(),
    ]);
  for (const length of [0, 3, 27, 28, 30]) {
    const says = `rank 0 opens a step, rank 1 sent ${length} bytes of no call that is known. All ranks must`;
    assertThrows(() => send(new Uint8Array(length)), Error, says);
  }
  assertThrows(
    () => send(new TextEncoder().encode('["GWmetrics",0,[],[]]')),
    Error,
    "rank 1 took fewer steps than you: it has ended the epoch",
  );
});
