/** A port for rank 0 to listen on. @module */

/**
 * A port of this machine's loopback that nobody listens on, for rank 0 to listen on in a moment.
 *
 * It lies below the ports that the system hands out to whoever asks for any (from 32 768 on under Linux): one of those
 * might be given to another program before rank 0 listens.
 */
export function freePort(): number {
  for (let tries = 1;; tries++) {
    const port = 16_384 + crypto.getRandomValues(new Uint16Array(1))[0]! % 16_384;
    try {
      using _ = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse) || tries === 1000) throw error;
    }
  }
}
