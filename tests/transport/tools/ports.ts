/** Ports and workers for groups under test. */

/**
 * A port of this machine that nobody listens on. Not one of those that the system hands out to whoever asks for any (from
 * 32 768 on under Linux): another test might be given it before it is used.
 */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + crypto.getRandomValues(new Uint16Array(1))[0]! % 12_000;
    try {
      using _ = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Waits for a worker's first message, which says that it is there. */
export function loaded(worker: Worker): Promise<Worker> {
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve(worker);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
}
