/**
 * The safetensors format: the length of a JSON header (u64, little-endian), the header, the numbers.
 *
 * @module
 */

/** The number types read and written here. */
export type TensorNumbers = Float64Array | Float32Array | Int32Array | Uint8Array;

/** One tensor of a file. */
export interface StoredTensor {
  /** Its lengths along each axis. */
  readonly shape: readonly number[];
  /** Its numbers, row by row. */
  readonly values: TensorNumbers;
}

/** What a file holds. */
export interface Safetensors {
  /** Tensors by name. */
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

const TYPES: Readonly<Record<string, { new (buffer: ArrayBuffer): TensorNumbers; BYTES_PER_ELEMENT: number }>> = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U8: Uint8Array,
};

/**
 * A safetensors file. Tensors are written in the order given, wider numbers first, and start at multiples of their
 * numbers' width.
 *
 * @throws {RangeError} if a shape does not go with the numbers
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "@gradwire/tfjs/optimizers";
 * const file = writeSafetensors({ tensors: { w: { shape: [2], values: Float32Array.of(1, 2) } }, metadata: { by: "me" } });
 * const { tensors, metadata } = readSafetensors(file);
 * console.assert(tensors.w!.values.join() === "1,2" && metadata.by === "me");
 * ```
 */
export function writeSafetensors({ tensors, metadata }: Safetensors): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  const entries = Object.entries(tensors).sort(([, a], [, b]) => width(b) - width(a));
  let end = 0;
  for (const [name, { shape, values }] of entries) {
    if (count(shape) !== values.length || name === "__metadata__") {
      throw new RangeError(`Cannot write tensor ${name}: its shape is [${shape}], it has ${values.length} numbers`);
    }
    const dtype = Object.keys(TYPES).find((type) => values instanceof TYPES[type]!);
    header[name] = { dtype, shape, data_offsets: [end, end += values.byteLength] };
  }
  let text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array((text.length + 7) & ~7).fill(0x20);
  padded.set(text), text = padded;
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let at = 8 + text.length;
  for (const [, { values }] of entries) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at), at += values.byteLength;
  }
  return file;
}

/**
 * Reads a safetensors file of F64, F32, I32 and U8 tensors.
 *
 * @throws {RangeError} if it is not one; the message says why
 */
export function readSafetensors(file: Uint8Array): Safetensors {
  const refuse = (why: string) => new RangeError(`Cannot read the safetensors file: ${why}`);
  if (file.length < 8) throw refuse(`it has ${file.length} bytes, expected at least 8`);
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)), data = 8 + length;
  if (data > file.length) throw refuse(`its header has ${length} bytes, the file ${file.length}`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, data)));
  } catch (cause) {
    throw new RangeError(refuse("its header is not JSON").message, { cause });
  }
  if (!isRecord(header)) throw refuse("its header is not an object");
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw refuse("its metadata are not texts");
  }
  const tensors: Record<string, StoredTensor> = Object.create(null);
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
    const type = typeof dtype === "string" && Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
    if (type === undefined) {
      throw refuse(`tensor ${name} is of type ${dtype}, expected ${Object.keys(TYPES).join(", ")}`);
    }
    if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
      throw refuse(`tensor ${name} has no shape or place`);
    }
    const [from, to] = offsets as [number, number];
    if (from > to || data + to > file.length) throw refuse(`tensor ${name} is at ${from} to ${to}, beyond the end`);
    if ((to - from) % type.BYTES_PER_ELEMENT !== 0) throw refuse(`tensor ${name} ends within a number`);
    const values = new type(file.slice(data + from, data + to).buffer);
    if (count(shape) !== values.length) {
      throw refuse(`tensor ${name} has shape [${shape}] and ${values.length} numbers`);
    }
    tensors[name] = { shape, values };
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

function width({ values }: StoredTensor): number {
  return values.BYTES_PER_ELEMENT;
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
