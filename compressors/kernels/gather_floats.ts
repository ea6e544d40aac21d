/** Some numbers of a vector, in a message as float32 of four bytes in little-endian order. @module */

/**
 * Writes vector[indices[j]] for j < count from byte `at` on, each held within ±most. Returns the position after the last
 * byte.
 */
export function gatherFloats(
  vector: Float32Array,
  indices: Uint32Array,
  count: number,
  message: Uint8Array,
  at: number,
  most = Infinity,
): number {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  for (let j = 0; j < count; j++, at += 4) {
    view.setFloat32(at, Math.max(-most, Math.min(most, vector[indices[j]!]!)), true);
  }
  return at;
}

/**
 * into[indices[j]] += scale · float number j from byte `at` on. Returns the largest magnitude of these floats, NaN where one
 * of them is NaN.
 */
export function scatterFloats(
  message: Uint8Array,
  at: number,
  indices: Uint32Array,
  count: number,
  scale: number,
  into: Float32Array,
): number {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  let most = 0;
  for (let j = 0; j < count; j++, at += 4) {
    const value = view.getFloat32(at, true);
    most = Math.max(most, Math.abs(value));
    into[indices[j]!]! += scale * value;
  }
  return most;
}
