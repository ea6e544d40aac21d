/** Damaged messages. @module */

import type { Draw } from "./draw.ts";

const BYTES = [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff];
const FLOATS = [
  NaN,
  Infinity,
  -Infinity,
  -0,
  0,
  -1,
  1,
  1e38,
  -1e38,
  3.4028234663852886e38,
  1e-45,
  -1e-45,
  2 ** -126,
  2,
];

/** A message with one to three faults: bytes changed, moved, cut off, repeated, of another message, or made up. */
export function damaged(message: Uint8Array, other: Uint8Array, draw: Draw): Uint8Array {
  let bytes: Uint8Array = message.slice();
  for (let faults = 1 + draw.below(3); faults > 0; faults--) bytes = fault(bytes, other, draw);
  return bytes;
}

function fault(bytes: Uint8Array, other: Uint8Array, draw: Draw): Uint8Array {
  const { length } = bytes, at = draw.below(length + 1), inside = draw.below(Math.max(1, length));
  switch (draw.below(12)) {
    case 0:
    case 1:
      if (length > 0) bytes[inside]! ^= 1 << draw.below(8);
      return bytes;
    case 2:
      if (length > 0) bytes[inside] = draw.of(BYTES);
      return bytes;
    case 3:
      if (length > 0) bytes[inside] = draw.word();
      return bytes;
    case 4: { // a number where one may stand
      const from = draw.once(2) ? 4 * draw.below(3) : inside;
      if (from + 4 <= length) new DataView(bytes.buffer, bytes.byteOffset).setFloat32(from, draw.of(FLOATS), true);
      return bytes;
    }
    case 5:
      return bytes.slice(0, at);
    case 6:
      return joined(bytes, random(1 + draw.below(3), draw));
    case 7: // of another message
      return joined(bytes.subarray(0, at), other.subarray(Math.min(other.length, draw.once(2) ? at : draw.below(64))));
    case 8: // a run of bytes twice
      return joined(bytes.subarray(0, at), bytes.subarray(inside));
    case 9: // a byte less
      return joined(bytes.subarray(0, inside), bytes.subarray(inside + 1));
    case 10: // a byte more
      return joined(joined(bytes.subarray(0, at), random(1, draw)), bytes.subarray(at));
    default:
      return random(draw.below(draw.once(4) ? 300 : 24), draw);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a), bytes.set(b, a.length);
  return bytes;
}

/** So many random bytes; in one of four cases all the same. */
function random(length: number, draw: Draw): Uint8Array {
  const bytes = new Uint8Array(length);
  if (draw.once(4)) return bytes.fill(draw.of(BYTES));
  for (let i = 0; i < length; i++) bytes[i] = draw.word();
  return bytes;
}
