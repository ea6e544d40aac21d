/** What tests of the TCP transport share: ranks that connect, ranks that fail to, and a rank that is moved by hand. @module */

import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { tcp, type TcpOptions, type Transport, TransportError } from "../../../transport/mod.ts";
import { freePort } from "../tools/ports.ts";
import { hello, json, kinds, preamble, Puppet } from "./puppet.ts";

/** The transports of `size` ranks that have met. */
export const connected = (size: number, options: Partial<TcpOptions> = {}): Promise<Transport[]> => {
  const port = freePort();
  return Promise.all(
    Array.from({ length: size }, (_, rank) => tcp({ rank, size, host: "127.0.0.1", port, ...options })),
  );
};

/** What each rank says when it cannot connect. */
export async function refusals(...ranks: Partial<TcpOptions>[]): Promise<TransportError[]> {
  const port = freePort();
  const results = await Promise.allSettled(
    ranks.map((options) =>
      tcp({ rank: 0, size: 3, host: "127.0.0.1", port, timeout: 5000, connectTimeout: 1000, ...options })
    ),
  );
  return results.map((result) => {
    assertEquals(result.status, "rejected");
    const { reason } = result as PromiseRejectedResult;
    assert(reason instanceof TransportError, String(reason));
    return reason;
  });
}

/** Rank 0 of two, connected with a rank 1 that is moved by hand. */
export async function pair(timeout = 20_000): Promise<{ rank: Transport; other: Puppet }> {
  const port = freePort(), options = { rank: 0, size: 2, host: "127.0.0.1", port, timeout, connectTimeout: 30_000 };
  const connecting = tcp(options), other = await Puppet.connect(port);
  await other.write(preamble, hello({ rank: 1, size: 2, timeout }), json(kinds.ready, null));
  return { rank: await connecting, other };
}

/** What rank 0 says of what rank 1 sends. */
export async function verdictOn(...bytes: readonly Uint8Array[]): Promise<TransportError> {
  const { rank, other } = await pair();
  await other.write(...bytes);
  const error = await assertRejects(() => rank.receive(1), TransportError);
  other.close();
  await rank[Symbol.asyncDispose]();
  return error;
}

/** Waits so many milliseconds. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Why a rank did not connect. */
export async function refusal(options: TcpOptions, delay = 0): Promise<TransportError> {
  await pause(delay);
  return await tcp(options).then(async (transport) => {
    await transport[Symbol.asyncDispose]();
    throw new Error(`rank ${options.rank} is connected`);
  }, (error) => {
    assert(error instanceof TransportError, String(error));
    return error;
  });
}

/** Every rank but the culprit names it. */
export function allName(culprit: number, errors: readonly TransportError[], what: string): void {
  for (const error of errors) assertEquals(error.rank, culprit, `${what}: ${error.message}`);
}
