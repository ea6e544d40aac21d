/**
 * How a process tells the launcher that started it that it has called connect(): it says so to a port of this machine.
 *
 * @module
 */

/** Who has called connect(). */
export interface Notices extends AsyncDisposable {
  /** What a rank is given in GRADWIRE_LAUNCHER: the port, and a word that strangers do not know. */
  readonly address: string;
  has(rank: number): boolean;
}

const hostname = "127.0.0.1";

/** Listens for ranks. */
export function listenForNotices(): Notices {
  const listener = Deno.listen({ hostname, port: 0 }), { port } = listener.addr as Deno.NetAddr;
  const word = crypto.randomUUID(), ranks = new Set<number>(), open = new Set<Deno.Conn>();
  async function hear(conn: Deno.Conn): Promise<void> {
    const bytes = new Uint8Array(64);
    open.add(conn);
    try {
      const [said, rank] = new TextDecoder().decode(bytes.subarray(0, await conn.read(bytes) ?? 0)).split(" ");
      if (said === word && rank !== undefined) ranks.add(Number(rank));
      await conn.write(Uint8Array.of(1)); // The rank goes on now, so that its end is not heard before this.
    } catch {
      // A stranger that says nothing.
    } finally {
      if (open.delete(conn)) conn.close();
    }
  }
  const accepting = (async () => {
    for await (const conn of listener) hear(conn);
  })();
  return {
    address: `${port} ${word}`,
    has: (rank) => ranks.has(rank),
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of open) conn.close();
      open.clear();
    },
  };
}

/** Tells the launcher that this rank has called connect(), where there is a launcher; it may have ended since. */
export async function tellLauncher(address: string | undefined, rank: number): Promise<void> {
  if (!address) return;
  const [port, word] = address.split(" ");
  try {
    using conn = await Deno.connect({ hostname, port: Number(port) });
    await conn.write(new TextEncoder().encode(`${word} ${rank}`));
    await conn.read(new Uint8Array(1));
  } catch {
    // This rank was started again by someone else than the launcher, which is gone.
  }
}
