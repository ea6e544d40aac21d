/** Tests that mostly wait for deadlines, run at once. @module */

import type { Property } from "../../../testing/mod.ts";

/** Makes one test of cases that run at once. Its name lists them. */
export function testAtOnce(name: string, cases: Readonly<Record<string, () => Promise<void>>>): void {
  const all = Object.entries(cases).map(([name, check]) => ({ name, check }));
  Deno.test(`${name}: ${all.map(({ name }) => name).join("; ")}`, () => inLanes(all.map(() => all)));
}

const waits = /is killed|a killed rank|an abort|does not take part|does not broadcast|is late|different ops/;

/**
 * Makes tests of a suite of groups: one for each claim, but one for all claims that wait for failures.
 *
 * @param suite the suite, made anew for each of the lanes: of those claims, so many run at a time
 * @param end is called after each test
 */
export function testClaims(prefix: string, suite: () => readonly Property[], lanes = 8, end = () => {}): void {
  const test = (name: string, check: () => void | Promise<void>) =>
    Deno.test(`${prefix}: ${name}`, async () => {
      try {
        await check();
      } finally {
        end();
      }
    });
  const suites = Array.from({ length: lanes }, suite);
  for (const { name, check } of suites[0]!) if (!waits.test(name)) test(name, check);
  const waiting = suites.map((claims) => claims.filter(({ name }) => waits.test(name)));
  if (waiting[0]!.length > 0) test("all claims about failures", () => inLanes(waiting));
}

/** Runs each of some cases in the next lane that is free. @throws {AggregateError} that names each case that fails */
async function inLanes(lanes: readonly (readonly Property[])[]): Promise<void> {
  let next = 0;
  const failures: string[] = [], errors: unknown[] = [];
  await Promise.all(lanes.map(async (cases) => {
    while (next < cases.length) {
      const { name, check } = cases[next++]!;
      try {
        await check();
      } catch (error) {
        failures.push(`${name}: ${error instanceof Error ? error.message : error}`), errors.push(error);
      }
    }
  }));
  if (failures.length > 0) throw new AggregateError(errors, failures.join("\n"));
}
