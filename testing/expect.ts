/** What suites of transports and groups expect, and for how long. @module */

import { TransportError } from "../transport/transport.ts";

/** Bytes that depend on place and seed, so that a shift, a gap or a mix-up shows. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(i + 1, 0x9e3779b1) + Math.imul(seed + 1, 0x85ebca6b) >>> 24;
  return bytes;
}

/** Throws an Error that says what was expected. */
export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Expected ${what}`);
}

/** Expects a TransportError that names `rank`, soon. */
export async function lost(work: Promise<unknown>, rank: number | undefined, patience: number): Promise<void> {
  const error = await rejects(work, `the loss of rank ${rank}`, patience);
  expect(error instanceof TransportError, `a TransportError, received ${error}`);
  if (rank === undefined) return;
  expect(
    (error as TransportError).rank === rank,
    `rank ${rank} to be named, received ${(error as TransportError).rank}: ${error}`,
  );
}

/** Expects a rejection, soon, and returns what it is. */
export async function rejects(work: Promise<unknown>, what: string, patience: number): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) =>
    timer = setTimeout(() => resolve(`nothing for ${patience} ms`), patience)
  );
  const result = await Promise.race([work.then(() => "success", (error: unknown) => ({ error })), late]);
  clearTimeout(timer);
  if (typeof result === "object") return result.error;
  throw new Error(`Expected ${what} to reject, received ${result}`);
}

/** Rejects if `work` has not ended after `ms`: a hang is a failure, and is told. */
export async function ends(work: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Expected an end, received nothing for ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
