/** The list of transports that `connect` and the launcher can use. @module */

import { broadcastKind } from "./broadcast_channel/kind_broadcast.ts";
import type { TransportKind } from "./kind.ts";
import type { MeetingPoint } from "./place.ts";
import { tcpKind } from "./tcp/kind_tcp.ts";

/** All transports. The launcher takes the first one that can do what it is asked for. */
export const kinds: TransportKind[] = [broadcastKind, tcpKind];

/** The transport at whose meeting point a place is. */
export function kindAt({ transport }: MeetingPoint): TransportKind {
  const kind = kinds.find(({ name }) => name === transport);
  if (kind) return kind;
  const known = kinds.map(({ name }) => name).join(", ");
  throw new TypeError(`Cannot connect: unknown transport "${transport}", known are ${known}`);
}
