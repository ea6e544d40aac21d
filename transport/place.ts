/** The place of a rank in its group: which rank it is, of how many, and where the ranks meet. @module */

import type { Deadlines } from "./deadlines.ts";

/** Where the ranks of a group meet. Each transport adds what its ranks need in order to find one another. */
export interface MeetingPoint {
  /** The transport's name. */
  readonly transport: string;
}

/** Where ranks meet over TCP: rank 0 listens there. Environment variables name such points. */
export interface TcpPoint {
  readonly transport: "tcp";
  readonly host: string;
  readonly port: number;
  /** Tells apart runs at one address. */
  readonly run?: string;
}

/** What a rank is told by whoever started it. */
export interface LaunchedPlace<Point extends MeetingPoint = MeetingPoint> extends Deadlines {
  readonly rank: number;
  readonly size: number;
  readonly meeting: Point;
  /** The script's arguments. */
  readonly args: readonly string[];
}

const mark = Symbol.for("gradwire place"), connected = Symbol.for("gradwire connected");
const scope = globalThis as { [mark]?: LaunchedPlace | undefined; [connected]?: boolean };

/** This worker's place, where the launcher started it. */
export function place(): LaunchedPlace | undefined {
  return scope[mark];
}

/** Tells this worker its place, or that it has none. The launcher does so before it runs the script. */
export function setPlace(place: LaunchedPlace | undefined): void {
  scope[mark] = place;
}

/** Notes that this worker has called connect(). */
export function noteConnected(): void {
  scope[connected] = true;
}

/** Whether this worker has called connect(). */
export function hasConnected(): boolean {
  return scope[connected] === true;
}
