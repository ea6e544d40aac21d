/** Ranks of any machine, which meet at an address where rank 0 listens. @module */

import { tcpBlocking } from "./tcp_blocking.ts";
import type { Address, TransportKind } from "../kind.ts";
import type { TcpPoint } from "../place.ts";
import { freePort } from "./free_port.ts";

/** Settles when no meeting is under way. A rank joins one group after the other, so that all ranks meet in one order. */
let met: Promise<unknown> = Promise.resolve();

/** The transport between processes and machines. */
export const tcpKind: TransportKind<TcpPoint> = {
  name: "tcp",
  oneProcess: false,
  meetingPoint: (address?: Address) =>
    address
      ? { transport: "tcp", ...address }
      : { transport: "tcp", host: "127.0.0.1", port: freePort(), run: crypto.randomUUID() },
  host: ({ host }) => host,
  environment: ({ host, port, run = "" }) => ({ MASTER_ADDR: host, MASTER_PORT: `${port}`, GRADWIRE_RUN: run }),
  async join({ rank, size, meeting: { host, port, run = "" } }, options) {
    if (!("Deno" in globalThis)) {
      throw new TypeError(
        `Cannot connect rank ${rank} of ${size}: ranks that are processes talk over TCP, which this library does under ` +
          "Deno only; run the script with deno run, or unset RANK and WORLD_SIZE to train alone",
      );
    }
    const group = met.then(() => tcpBlocking({ rank, size, host, port, run, ...options }));
    met = group.catch(() => {});
    return await group;
  },
};
