/**
 * How a process tells the launcher that it has called connect(). The launcher listens on a port of this machine, and tells the
 * processes that it starts the port and a secret word.
 *
 * @module
 */

/** The ranks that have called connect(). */
export interface Notices extends AsyncDisposable {
  /** The value of GRADWIRE_LAUNCHER: the port, and a word that strangers do not know. */
  readonly address: string;
  /** Whether this rank has. */
  has(rank: number): boolean;
}

const hostname = "127.0.0.1";

/** Listens for the notices of ranks. */
export function listenForNotices(): Notices {
  const listener = Deno.listen({ hostname, port: 0 }), { port } = listener.addr as Deno.NetAddr;
  const word = crypto.randomUUID(), ranks = new Set<number>(), open = new Set<Deno.Conn>();
  async function hear(conn: Deno.Conn): Promise<void> {
    const bytes = new Uint8Array(64);
    open.add(conn);
    try {
      const [said, rank] = new TextDecoder().decode(bytes.subarray(0, await conn.read(bytes) ?? 0)).split(" ");
      if (said === word && rank !== undefined) ranks.add(Number(rank));
      await conn.write(Uint8Array.of(1)); // The rank waits for this, so that its end is not seen before its notice.
    } catch {
      // A stranger has ended the connection.
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

/** Tells the launcher at `address`, if there is one, that this rank has called connect(). */
export async function tellLauncher(address: string | undefined, rank: number): Promise<void> {
  if (!address) return;
  const [port, word] = address.split(" ");
  try {
    using conn = await Deno.connect({ hostname, port: Number(port) });
    await conn.write(new TextEncoder().encode(`${word} ${rank}`));
    await conn.read(new Uint8Array(1));
  } catch {
    // The launcher is gone, and this rank was started again by somebody else.
  }
}
