/** How a decoder refuses a message. @module */

/** @throws {RangeError} "Cannot decode <name>: <why>" */
export function refuse(name: string, why: string): never {
  throw new RangeError(`Cannot decode ${name}: ${why}`);
}

/** @throws {RangeError} unless the message has `expected` bytes */
export function requireLength(name: string, message: Uint8Array, expected: number, size: number): void {
  if (message.length !== expected) {
    refuse(name, `the message has ${message.length} bytes, expected ${expected} for ${size} numbers`);
  }
}
