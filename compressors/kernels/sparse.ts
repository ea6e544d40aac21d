/** Some numbers of a vector, as little-endian float32. @module */

/** message[at + 4 j ..] := vector[indices[j]], j < count, taken into [−most, most]. Returns the position after the last. */
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

/** into[indices[j]] += scale · the j-th float32 from byte `at` on. Returns the largest magnitude, or NaN if one is NaN. */
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

/** into += scale · part, with what overflowed in `part` taken as the largest float32. */
export function addFinite(part: Float32Array, scale: number, into: Float32Array): void {
  const most = (2 - 2 ** -23) * 2 ** 127;
  for (let i = 0; i < into.length; i++) into[i]! += scale * Math.max(-most, Math.min(most, part[i]!));
}

/** Takes each number into the range of float32. */
export function clampFinite(vector: Float32Array): void {
  const most = (2 - 2 ** -23) * 2 ** 127;
  for (let i = 0; i < vector.length; i++) vector[i] = Math.max(-most, Math.min(most, vector[i]!));
}
