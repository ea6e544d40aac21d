/** What `connect` and the launcher know of a transport. @module */

import type { Deadlines } from "./deadlines.ts";
import type { LaunchedPlace, MeetingPoint } from "./place.ts";
import type { BlockingCollective } from "./round.ts";

/** A host and a port, as the launcher's `rendezvous` names them. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a rank says when it joins a group: its deadlines, and the local address to listen on. */
interface JoinOptions extends Deadlines {
  readonly bind?: string;
}

/**
 * One transport. Each transport is a folder that exports one of these, and a line in `kinds.ts`; `connect` and the launcher
 * know transports by nothing else.
 */
export interface TransportKind<Point extends MeetingPoint = MeetingPoint> {
  /** Its name, as the launcher's option `transport` and a meeting point have it. */
  readonly name: Point["transport"];
  /** Whether its ranks are workers of one process, and meet at no address. Otherwise they may be processes of any machine. */
  readonly oneProcess: boolean;
  /** Chooses where the ranks that the launcher is about to start will meet: at the given address, where there is one. */
  meetingPoint(address?: Address): Point;
  /** The host that a process must be allowed to reach. Absent where ranks are workers. */
  host?(point: Point): string;
  /** The environment variables that tell a process where the ranks meet. Absent where ranks are workers. */
  environment?(point: Point): Readonly<Record<string, string>>;
  /** Joins the group at a place whose meeting point is of this transport. */
  join(place: LaunchedPlace<Point>, options: JoinOptions): Promise<BlockingCollective>;
}
