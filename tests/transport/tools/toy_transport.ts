/** A transport that only tests have: importing it adds its one line to the list of transports. */

import { broadcastChannel } from "../../../transport/broadcast_channel/broadcast_channel.ts";
import type { TransportKind } from "../../../transport/kind.ts";
import { kinds } from "../../../transport/kinds.ts";

export interface ToyPoint {
  readonly transport: "toy";
  readonly room: string;
}

/** How many groups this worker has joined over it. */
export const joined = { count: 0 };

export const toyKind: TransportKind<ToyPoint> = {
  name: "toy",
  oneProcess: true,
  meetingPoint: () => ({ transport: "toy", room: crypto.randomUUID() }),
  async join({ rank, size, meeting: { room } }, { connectTimeout = 30_000 }) {
    joined.count++;
    return await broadcastChannel({ name: room, rank, size, connectTimeout });
  },
};

kinds.push(toyKind);
