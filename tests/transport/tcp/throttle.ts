/** A link between a rank and rank 0 that is slow, or is cut while both live. @module */

/** A link in both directions. */
export interface Link extends AsyncDisposable {
  /** The port that leads to the other end. */
  readonly port: number;
  /** From now on nothing passes, and nobody is told. */
  cut(): void;
}

/** A link to `port` of this machine that passes at most `rate` bytes a second each way, in small pieces. */
export function link(port: number, rate = Infinity): Link {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), conns: Deno.Conn[] = [], work: Promise<void>[] = [];
  let broken = false;
  async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(Math.min(1 << 16, rate / 20));
    try {
      for (let due = performance.now();;) {
        const count = await from.read(buffer);
        if (broken && count !== null) continue;
        if (broken) return;
        if (count === null) return await (to as Deno.TcpConn).closeWrite();
        for (let done = 0; done < count;) done += await to.write(buffer.subarray(done, count));
        // A thread that was busy does not make up for it: the rate is a limit.
        due = Math.max(due, performance.now() - 50) + 1000 * count / rate;
        const rest = due - performance.now();
        if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
      }
    } catch {
      // One end has closed.
    }
  }
  const accepting = (async () => {
    for await (const near of listener) {
      const far = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      if (!far) {
        near.close();
        continue;
      }
      conns.push(near, far);
      work.push(pump(near, far), pump(far, near));
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    cut: () => void (broken = true),
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of conns) {
        try {
          conn.close();
        } catch {
          // It has ended.
        }
      }
      await Promise.all(work);
    },
  };
}
