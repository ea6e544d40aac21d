/** NumPy's .npy files of numbers, read as one flat vector and written as one. @module */

import { bytesOf } from "../../bytes.ts";

const MAGIC = [0x93, ...new TextEncoder().encode("NUMPY")];

/**
 * The numbers of a .npy file, flat, as float32.
 *
 * @throws {RangeError} if the bytes are not a .npy file of little-endian float32 or float64
 */
export function readNpy(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const fail = (why: string): never => {
    throw new RangeError(`Cannot read .npy: ${why}, expected little-endian float32 or float64 numbers`);
  };
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    fail("it does not start with its magic");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), version = bytes[6]!;
  const [length, from] = version === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  const header = new TextDecoder("latin1").decode(bytes.subarray(from, from + length));
  const type = /'descr': *'([^']*)'/.exec(header)?.[1], shape = /'shape': *\(([^)]*)\)/.exec(header)?.[1];
  if (type === undefined || shape === undefined) fail(`its header is ${JSON.stringify(header)}`);
  const size = shape!.split(",").filter((n) => n.trim() !== "").reduce((a, b) => a * Number(b), 1);
  const data = bytes.slice(from + length).buffer,
    width = type === "<f4" ? 4 : type === "<f8" ? 8 : fail(`its type is ${type}`);
  if (data.byteLength !== size * width) fail(`it holds ${data.byteLength} bytes for ${size} numbers of ${width}`);
  return width === 4 ? new Float32Array(data) : Float32Array.from(new Float64Array(data));
}

/** A vector as a .npy file, version 1. */
export function writeNpy(vector: Float32Array): Uint8Array<ArrayBuffer> {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${vector.length},), }`;
  // The data start at a multiple of 64 bytes, as NumPy writes them.
  const header = dictionary.padEnd(Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 11) + "\n";
  const bytes = new Uint8Array(10 + header.length + vector.byteLength);
  bytes.set([...MAGIC, 1, 0, header.length & 0xff, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(bytesOf(vector), 10 + header.length);
  return bytes;
}
