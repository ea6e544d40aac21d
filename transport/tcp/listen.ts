/** The address where a rank listens while the ranks meet, and the address that it tells the others. @module */

import { seconds } from "../deadlines.ts";
import { addressText, sleep, text } from "./wire.ts";
import { TransportError } from "../transport.ts";

/** A listener, and the address where others reach it; "" stands for the address where they reached rank 0. */
interface Listening {
  readonly listener: Deno.TcpListener;
  readonly address: string;
}

/**
 * Makes rank 0 listen at `bind`, or else at `host`. A name that is not known yet is tried again until the deadline.
 *
 * A machine may know its own name as an address of its loopback (Debian's hosts file says 127.0.1.1), which no other machine
 * can reach. Rank 0 then listens on all addresses.
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
 * Makes another rank listen at `bind`, or else at `local`, the address from which it reached rank 0.
 *
 * A rank that reached rank 0 over the loopback of its own machine, by a name that other machines know too, listens on all
 * addresses: the other ranks find it where they found rank 0.
 */
export function listenAsMember(host: string, bind: string | undefined, local: string, rank: number): Listening {
  const withHost = isLoopback(local) && !namesLoopback(host);
  if (bind === undefined) {
    if (withHost) return listenWidely(local, local, 0, rank);
    return { listener: listen(local, 0, rank), address: local };
  }
  const everywhere = bind === "0.0.0.0" || bind === "::", address = !everywhere ? bind : withHost ? "" : local;
  return { listener: listen(bind, 0, rank), address };
}

/** Listens on all addresses of the family of `like` (IPv4 or IPv6); where that is not permitted, at `narrow`. */
function listenWidely(like: string, narrow: string, port: number, rank: number): Listening {
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

/** Whether an error is one that trying again cannot mend. */
export function isFinal(error: unknown): boolean {
  return error instanceof TransportError || error instanceof Deno.errors.NotCapable || error instanceof TypeError ||
    error instanceof URIError;
}

/** Whether an address belongs to the loopback of its machine. */
function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./i.test(address) || address === "::1";
}

/** Whether a host says that it is the loopback, as "localhost" and "127.0.0.1" do, and a machine's name does not. */
function namesLoopback(host: string): boolean {
  return isLoopback(host.replace(/^\[(.*)\]$/, "$1")) || /^(.+\.)?localhost\.?$/i.test(host);
}
