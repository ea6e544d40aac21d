/** Small integers, here called codes, packed into bytes: as bits, most significant first, or as digits. @module */

/**
 * Writes the codes from byte `at` on, `width` bits each (1 ≤ width ≤ 24), the last byte filled with zeros. Returns the
 * position after it.
 */
export function pack(codes: Uint32Array, width: number, bytes: Uint8Array, at: number): number {
  const count = codes.length;
  if (width === 8) {
    for (let i = 0; i < count; i++) bytes[at++] = codes[i]!;
    return at;
  }
  if (width === 4) {
    const even = count & ~1;
    for (let i = 0; i < even; i += 2) bytes[at++] = (codes[i]! << 4) | codes[i + 1]!;
    if (even < count) bytes[at++] = codes[even]! << 4;
    return at;
  }
  // `waiting` bits of `word` are not written yet: at most 7, and 31 with the next code. Older bits above them are ignored.
  let word = 0, waiting = 0;
  for (let i = 0; i < count; i++) {
    word = (word << width) | codes[i]!;
    waiting += width;
    while (waiting >= 8) {
      waiting -= 8;
      bytes[at++] = word >>> waiting;
    }
  }
  if (waiting > 0) bytes[at++] = word << (8 - waiting);
  return at;
}

/** Reads codes.length codes of `width` bits from byte `at` on. Returns the position after the last byte it read. */
export function unpack(bytes: Uint8Array, at: number, width: number, codes: Uint32Array): number {
  const count = codes.length;
  if (width === 8) {
    for (let i = 0; i < count; i++) codes[i] = bytes[at++]!;
    return at;
  }
  if (width === 4) {
    const even = count & ~1;
    for (let i = 0; i < even; i += 2) {
      const byte = bytes[at++]!;
      codes[i] = byte >>> 4;
      codes[i + 1] = byte & 15;
    }
    if (even < count) codes[even] = bytes[at++]! >>> 4;
    return at;
  }
  const mask = 2 ** width - 1;
  let word = 0, waiting = 0;
  for (let i = 0; i < count; i++) {
    while (waiting < width) {
      word = (word << 8) | bytes[at++]!;
      waiting += 8;
    }
    waiting -= width;
    codes[i] = (word >>> waiting) & mask;
  }
  return at;
}

/**
 * Writes codes below `base` from byte `at` on, `perByte` of them as the digits of a byte, the first the least significant.
 * Returns the position after the last byte.
 */
export function packDigits(
  codes: Uint32Array,
  base: number,
  perByte: number,
  bytes: Uint8Array,
  at: number,
): number {
  const count = codes.length, whole = count - count % perByte;
  let i = 0;
  if (perByte === 5) {
    for (; i < whole; i += 5) {
      bytes[at++] = codes[i]! +
        base * (codes[i + 1]! + base * (codes[i + 2]! + base * (codes[i + 3]! + base * codes[i + 4]!)));
    }
  }
  while (i < count) {
    let byte = 0, weight = 1;
    for (const end = Math.min(i + perByte, count); i < end; i++, weight *= base) byte += weight * codes[i]!;
    bytes[at++] = byte;
  }
  return at;
}

/**
 * Reads codes.length codes that {@linkcode packDigits} wrote. Returns the position after the last byte it read.
 *
 * @throws {RangeError} if a byte is too large for the digits that it holds
 */
export function unpackDigits(
  bytes: Uint8Array,
  at: number,
  base: number,
  perByte: number,
  codes: Uint32Array,
): number {
  const limit = base ** perByte, count = codes.length;
  for (let i = 0; i < count;) {
    let byte = bytes[at++]!;
    if (byte >= limit) throw new RangeError(`Cannot read the message: a byte is ${byte}, expected less than ${limit}`);
    for (const end = Math.min(i + perByte, count); i < end; i++) {
      const rest = (byte / base) | 0;
      codes[i] = byte - rest * base;
      byte = rest;
    }
    // The last byte may hold fewer digits than it has room for: the others are 0.
    if (byte !== 0) throw new RangeError("Cannot read the message: its last byte has a digit too many");
  }
  return at;
}
