/** How a decoder refuses a message. @module */

/** @throws {RangeError} always: "Cannot decode <name>: <why>" */
export function refuse(name: string, why: string): never {
  throw new RangeError(`Cannot decode ${name}: ${why}`);
}

/**
 * Checks that a message ends where its content does.
 *
 * @param size how many numbers the vector has, which the error tells where it is given
 * @throws {RangeError} unless the message has `expected` bytes
 */
export function requireLength(name: string, message: Uint8Array, expected: number, size?: number): void {
  if (message.length === expected) return;
  const why = size === undefined ? "" : ` for ${size} numbers`;
  refuse(name, `the message has ${message.length} bytes, expected ${expected}${why}`);
}

/**
 * Checks that a message ends with the byte of its last bit, and that the bits of that byte after it are 0.
 *
 * @param bitAt the position after the last bit
 * @throws {RangeError} if it does not: no encoder wrote such a message
 */
export function requireBitLength(name: string, message: Uint8Array, bitAt: number): void {
  requireLength(name, message, (bitAt + 7) >>> 3);
  requirePadding(name, message, bitAt);
}

/**
 * Checks that the bits from `bitAt` to the end of its byte are 0.
 *
 * @throws {RangeError} if one is not: no encoder wrote such a message
 */
export function requirePadding(name: string, message: Uint8Array, bitAt: number): void {
  const used = bitAt & 7;
  if (used > 0 && (message[bitAt >>> 3]! & (0xff >>> used)) !== 0) {
    refuse(name, `byte ${bitAt >>> 3} has bits set after its last, expected zeros`);
  }
}
