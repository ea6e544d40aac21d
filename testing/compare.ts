/** What suites compare, and how they say what they found. @module */

/** Throws an error with this message unless the condition holds. */
export function assert(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(message());
}

/** The bytes of a vector, in its own memory. */
export function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** Whether two arrays hold the same bytes. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** The largest magnitude of a vector's numbers, 0 if there are none. */
export function largest(vector: Float32Array): number {
  return vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** ‖x‖². */
export function squaredNorm(vector: Float32Array): number {
  return vector.reduce((sum, value) => sum + value * value, 0);
}

/** ‖a − b‖², of vectors of one length. */
export function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}

/** The first numbers of a vector, for messages. */
export function excerpt(vector: Float32Array): string {
  return `[${vector.subarray(0, 8).join(", ")}${vector.length > 8 ? `, … ${vector.length} numbers` : ""}]`;
}
