/** Where a rank listens, and what it tells others of that. @module */

import { seconds } from "../deadlines.ts";
import { addressText, sleep, text } from "./wire.ts";
import { TransportError } from "../transport.ts";

/** A listener, and where it is reached: "" where rank 0 is. */
export interface Place {
  readonly listener: Deno.TcpListener;
  readonly address: string;
}

/**
 * Rank 0 listens at `bind`, or at `host`. A name that is not known yet is tried again until the deadline. A name that this
 * machine knows as its own loopback (Debian gives a machine's name as 127.0.1.1) is where no other machine comes in: then
 * rank 0 listens everywhere.
 */
export async function listenAsHost(
  host: string,
  bind: string | undefined,
  port: number,
  { deadline, connectTimeout }: { readonly deadline: number; readonly connectTimeout: number },
): Promise<Deno.TcpListener> {
  const wanted = bind ?? host;
  for (let pause = 20;; pause = Math.min(2 * pause, 500)) {
    try {
      const listener = listen(wanted, port, 0);
      const { hostname } = listener.addr as Deno.NetAddr;
      if (bind !== undefined || !isLoopback(hostname) || namesLoopback(host)) return listener;
      listener.close();
      return listenWidely(hostname, wanted, port, 0).listener;
    } catch (error) {
      if (isFinal(error)) throw error;
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new TransportError(
          `Cannot listen on ${addressText(wanted, port)} within ${seconds(connectTimeout)}: ${text(error)}; ` +
            "connectTimeout raises the limit",
          { rank: 0, cause: error },
        );
      }
      await sleep(Math.min(pause, left));
    }
  }
}

/**
 * The other ranks listen at `bind`, or at the address from which they reached rank 0, `local`. One that reached it over its
 * own machine's loopback, by a name that other machines know, too, listens everywhere: others find it where rank 0 is.
 */
export function listenAsMember(host: string, bind: string | undefined, local: string, rank: number): Place {
  const withHost = isLoopback(local) && !namesLoopback(host);
  if (bind === undefined) {
    if (withHost) return listenWidely(local, local, 0, rank);
    return { listener: listen(local, 0, rank), address: local };
  }
  const everywhere = bind === "0.0.0.0" || bind === "::", address = !everywhere ? bind : withHost ? "" : local;
  return { listener: listen(bind, 0, rank), address };
}

/** Listens on all addresses; where that is not permitted, at `narrow`. `like` tells which kind of addresses. */
function listenWidely(like: string, narrow: string, port: number, rank: number): Place {
  try {
    return { listener: listen(like.includes(":") ? "::" : "0.0.0.0", port, rank), address: "" };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    return { listener: listen(narrow, port, rank), address: like };
  }
}

function listen(hostname: string, port: number, rank: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname, port });
  } catch (cause) {
    const where = `Cannot listen on ${addressText(hostname, port)}`;
    if (cause instanceof Deno.errors.AddrInUse) {
      throw new TransportError(`${where}: the port is in use, let all ranks use another one`, { rank, cause });
    }
    if (cause instanceof Deno.errors.AddrNotAvailable) {
      const help = 'this machine has no such address; give one of its own, or "0.0.0.0", as bind';
      throw new TransportError(`${where}: ${help}`, { rank, cause });
    }
    if (cause instanceof Deno.errors.PermissionDenied) {
      throw new TransportError(`${where}: the system does not allow it: ${text(cause)}`, { rank, cause });
    }
    throw cause;
  }
}

/** Whether trying again cannot help. */
export function isFinal(error: unknown): boolean {
  return error instanceof TransportError || error instanceof Deno.errors.NotCapable || error instanceof TypeError ||
    error instanceof URIError;
}

/** Whether an address is one of the machine's own loopback. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./i.test(address) || address === "::1";
}

/** Whether a host is meant to be the machine's own loopback, and not the machine's name. */
function namesLoopback(host: string): boolean {
  return isLoopback(host.replace(/^\[(.*)\]$/, "$1")) || /^(.+\.)?localhost\.?$/i.test(host);
}
