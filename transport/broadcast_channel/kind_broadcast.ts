/** Workers of one process, which meet on a broadcast channel. @module */

import type { TransportKind } from "../kind.ts";
import { broadcastChannel } from "./broadcast_channel.ts";

/** Workers of one process meet under a name that no other launch has. */
interface BroadcastPoint {
  readonly transport: "broadcast";
  readonly name: string;
}

/** How many groups this worker has joined. The number tells apart the groups of one launch. */
let groups = 0;

/** The fastest transport between workers of one process. */
export const broadcastKind: TransportKind<BroadcastPoint> = {
  name: "broadcast",
  oneProcess: true,
  meetingPoint: () => ({ transport: "broadcast", name: crypto.randomUUID() }),
  join: async ({ rank, size, meeting }, { bind: _, ...deadlines }) =>
    await broadcastChannel({ name: `${meeting.name} ${groups++}`, rank, size, ...deadlines }),
};
