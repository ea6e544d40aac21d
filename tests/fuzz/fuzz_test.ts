/** A short form of `deno task fuzz`: its seed is fixed, so that it finds the same every time. @module */

import { assert, assertEquals } from "@std/assert/mod.js";
import type { Area } from "./area.ts";
import { areas } from "./areas.ts";
import { fuzz } from "./run.ts";
import { Trial } from "./trial.ts";

const CASES = 20_000;

for (const area of areas) {
  Deno.test(`fuzz: ${area.name} are accepted, or refused in words`, async () => {
    const { cases, accepted, refused, failures } = await fuzz(area, { seed: 1, cases: CASES * area.share / 100 });
    const text = failures.map(({ at, why, input }) => `case ${at}: ${why}\n${input}`).join("\n");
    assertEquals(failures.length, 0, text);
    // Both happen, or the cases would be too tame or too wild; but for checkpoints, where any damage is refused.
    const few = area.name === "checkpoints" ? 0 : cases / 100;
    assert(accepted >= few && refused > cases / 100, `${accepted} accepted, ${refused} refused of ${cases}`);
  });
}

/** What is found in an area whose cases do this. */
async function found(act: (at: number) => boolean): Promise<string[]> {
  let at = 0;
  const area: Area = { name: "toys", share: 1, prepare: () => () => act(at++) };
  const trial = new Trial(area, 1);
  await trial.run(0, 300, () => {}, () => false);
  return trial.tally.failures.map(({ why }) => why);
}

Deno.test("fuzz: what is no refusal in words is found", async () => {
  assertEquals(await found((at) => at % 2 === 0), []);
  const [first] = await found((at) => {
    if (at === 77) throw new RangeError("Invalid typed array length: -1");
    return true;
  });
  assert(first?.includes("Invalid typed array length"));
});

Deno.test("fuzz: memory that grows, and prototypes that change, are found", async () => {
  const kept: Uint8Array[] = [];
  const grown = await found((at) => {
    if (at < 9) kept.push(new Uint8Array(2 ** 26));
    return true;
  });
  assert(grown.some((why) => why.startsWith("the memory grew by")), grown.join());
  const polluted = await found((at) => {
    if (at === 5) Object.defineProperty(Object.prototype, "polluted", { value: 1, configurable: true });
    return true;
  });
  delete (Object.prototype as { polluted?: number }).polluted;
  assert(polluted.some((why) => why.startsWith("a prototype was changed")), polluted.join());
});
