/** Arrays as bytes. @module */

/** The bytes of an array's numbers, in the same memory. */
export function bytesOf<B extends ArrayBufferLike>(
  { buffer, byteOffset, byteLength }: { readonly buffer: B; readonly byteOffset: number; readonly byteLength: number },
): Uint8Array<B> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Whether two arrays hold the same bytes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
