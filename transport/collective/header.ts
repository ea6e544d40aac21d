/**
 * The header of a message. A message goes in packets of at most {@linkcode packetBytes} bytes, and the header precedes
 * the bytes of the first one. All numbers are little-endian.
 *
 * | bytes | what                                                                            |
 * | ----- | ------------------------------------------------------------------------------- |
 * | 0     | the op's number                                                                 |
 * | 1     | the phase: which exchange of the round this is, where a round has several       |
 * | 2–3   | 0                                                                               |
 * | 4–7   | the round: how many the sender has performed, this one included, modulo 2³²     |
 * | 8–11  | the message's length in bytes                                                   |
 * | 12–15 | what the ranks must agree on: the vector's length, or the root; 0 for other ops |
 *
 * @module
 */

import { type OpName, opNumbered, opOf } from "../ops.ts";
import type { WireRound } from "../round.ts";

/** The length of the header, in bytes. */
export const headerBytes = 16;
/** The most bytes of a message that go in one packet: 256 KiB. */
export const packetBytes: number = 1 << 18;

/** What the messages of one exchange have in common, on all ranks. */
export interface Tag {
  readonly op: OpName;
  readonly phase: number;
  readonly agreed: number;
}

/** The tag of an exchange of a round. */
export function tagOf(round: WireRound, phase = 0): Tag {
  return { op: round.op, phase, agreed: opOf(round.op).agreed?.number(round) ?? 0 };
}

/** Writes the header of a message of `length` bytes into the first bytes of a packet. */
export function writeHeader(packet: Uint8Array, { op, phase, agreed }: Tag, round: number, length: number): void {
  const view = new DataView(packet.buffer, packet.byteOffset);
  view.setUint32(0, opOf(op).number | phase << 8, true);
  view.setUint32(4, round, true);
  view.setUint32(8, length, true);
  view.setUint32(12, agreed, true);
}

/** The message's length, in the header of its first packet. */
export function lengthIn(packet: Uint8Array): number {
  return u32(packet, 8);
}

/** What is wrong with the first packet of a message from a rank, which should have this tag and round number. */
export function faultOf(
  packet: Uint8Array,
  from: number,
  tag: Tag,
  round: number,
  maxMessageBytes: number,
): string | undefined {
  const sent = (what: string) => `rank ${from} sent ${what}`;
  if (packet.byteLength < headerBytes) return sent(`${packet.byteLength} bytes, not a header`);
  const mark = u32(packet, 0), theirs = u32(packet, 4), length = u32(packet, 8), other = u32(packet, 12);
  const op = mark & 0xff, phase = mark >>> 8, { number, agreed } = opOf(tag.op);
  if (phase > 0xff || opNumbered(op) === undefined) return sent("what is not ours");
  if (op !== number || theirs !== round >>> 0) {
    return `this rank is in round ${round}, rank ${from} in round ${theirs} (${opNumbered(op)})`;
  }
  if (other !== tag.agreed) return agreed?.differs(tag.agreed, other, from) ?? sent("what is not ours");
  if (phase !== tag.phase) return sent(`phase ${phase} instead of ${tag.phase}`);
  if (length > maxMessageBytes) return sent(`a message of ${length} bytes, agreed are at most ${maxMessageBytes}`);
  const payload = packet.byteLength - headerBytes, first = Math.min(length, packetBytes);
  return payload === first ? undefined : sent(`a packet of ${payload} bytes, agreed are ${first}`);
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0;
}
