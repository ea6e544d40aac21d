/**
 * Files in the safetensors format: 8 bytes with the length of a JSON header (little-endian), the header, which names
 * the tensors and says where each lies, and the tensors' numbers.
 *
 * @module
 */

import { bytesOf } from "../../bytes.ts";
import { show } from "../../options.ts";
import { repeatedName } from "./json_names.ts";

/** The arrays of numbers that are read and written here. */
export type TensorNumbers = Float64Array | Float32Array | Int32Array | Uint8Array;

/** One tensor of a file. */
export interface StoredTensor {
  /** The tensor's length along each axis. */
  readonly shape: readonly number[];
  /** The tensor's numbers, row by row. */
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
const KNOWN = Object.keys(TYPES).join(", ");

/** The longest header that readers of the format accept. */
const LONGEST_HEADER = 100_000_000;

/**
 * Writes a safetensors file. The tensors stand in the order given, but those with wider numbers first, so that each
 * starts at a multiple of its numbers' width.
 *
 * @returns the bytes of the file
 * @throws {TypeError} if the numbers of a tensor, or the metadata, are of a type that a file cannot hold
 * @throws {RangeError} if a shape does not go with the numbers, or a file can hold no tensor of that name
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "@gradwire/tfjs/optimizers";
 * const file = writeSafetensors({ tensors: { w: { shape: [2], values: Float32Array.of(1, 2) } }, metadata: { by: "me" } });
 * const { tensors, metadata } = readSafetensors(file);
 * console.assert(tensors.w!.values.join() === "1,2" && metadata.by === "me");
 * ```
 */
export function writeSafetensors(contents: Safetensors): Uint8Array {
  const { tensors, metadata } = contents ?? {};
  if (!isRecord(tensors) || !isRecord(metadata)) {
    throw new TypeError(
      `Cannot write a safetensors file: it is given ${show(contents)}, expected { tensors, metadata }`,
    );
  }
  const entries = Object.entries(tensors);
  for (const [name, tensor] of entries) check(name, tensor);
  for (const [name, text] of Object.entries(metadata)) {
    if (typeof text !== "string" || HALF.test(name) || HALF.test(text)) {
      throw new TypeError(`Cannot write metadata ${show(name)}: it is ${show(text)}, expected a text in Unicode`);
    }
  }
  entries.sort(([, a], [, b]) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT);
  // Without a prototype, so that a tensor may be named "__proto__".
  const header: Record<string, unknown> = Object.create(null);
  header["__metadata__"] = metadata;
  let end = 0;
  for (const [name, { shape, values }] of entries) {
    header[name] = { dtype: typeOf(values), shape, data_offsets: [end, end += values.byteLength] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header)), padded = (text.length + 7) & ~7;
  if (padded > LONGEST_HEADER) {
    throw new RangeError(
      `Cannot write the safetensors file: its header has ${padded} bytes, expected at most ${LONGEST_HEADER}`,
    );
  }
  const file = new Uint8Array(8 + padded + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  file.fill(0x20, 8 + text.length, 8 + padded);
  let at = 8 + padded;
  for (const [, { values }] of entries) {
    file.set(bytesOf(values), at), at += values.byteLength;
  }
  return file;
}

/** Matches half of a surrogate pair, which UTF-8 cannot hold. */
const HALF = /\p{Surrogate}/u;

function check(name: string, tensor: StoredTensor): void {
  const { shape, values } = tensor ?? {};
  const refuse = (why: string) => `Cannot write tensor ${show(name)}: ${why}`;
  if (typeOf(values) === undefined) {
    const kind = ArrayBuffer.isView(values) ? `a ${(values as object).constructor.name}` : show(values);
    throw new TypeError(
      refuse(`its numbers are ${kind}, expected one of Float64Array, Float32Array, Int32Array, Uint8Array`),
    );
  }
  if (name === "__metadata__" || HALF.test(name)) throw new RangeError(refuse("a file has no tensor of that name"));
  if (!isSizes(shape) || count(shape) !== values.length) {
    throw new RangeError(refuse(`its shape is [${shape}], it has ${values.length} numbers`));
  }
}

function typeOf(values: TensorNumbers): string | undefined {
  return Object.keys(TYPES).find((type) => values instanceof TYPES[type]!);
}

/** What to write to get the bytes of a file, for a message. */
function bytesWanted(file: unknown): string {
  if (typeof file === "string" || file instanceof URL) return ": await Deno.readFile(path)";
  if (file instanceof ArrayBuffer) return ": new Uint8Array(file)";
  return file instanceof Promise ? ": await it" : "";
}

/**
 * Reads a safetensors file of F64, F32, I32 and U8 tensors, and checks what the format demands: the tensors cover the
 * file after the header without holes or overlaps, no name occurs twice, and the header has at most 100 MB.
 *
 * @param file the bytes of the file: a Uint8Array or a `Buffer` of Node. They are copied
 * @throws {TypeError} if it is not a Uint8Array
 * @throws {RangeError} if it is not such a file; the message says why
 *
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from "@gradwire/tfjs/optimizers";
 * const file = writeSafetensors({ tensors: { w: { shape: [1, 2], values: Float32Array.of(1, 2) } }, metadata: {} });
 * console.assert(readSafetensors(file).tensors.w!.shape.join() === "1,2");
 * ```
 */
export function readSafetensors(file: Uint8Array): Safetensors {
  const refuse = (why: string) => new RangeError(`Cannot read the safetensors file: ${why}`);
  if (!(file instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot read the safetensors file: it is ${show(file)}, expected its bytes as a Uint8Array${bytesWanted(file)}`,
    );
  }
  // A plain view of the same bytes: the `slice` of Node's Buffers shares their memory instead of copying it.
  const bytes = bytesOf(file);
  if (bytes.length < 8) throw refuse(`it has ${bytes.length} bytes, expected at least 8`);
  const stated = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (stated > BigInt(LONGEST_HEADER)) {
    throw refuse(
      `its header has ${stated} bytes, expected at most ${LONGEST_HEADER}: it is damaged, or a file of another kind`,
    );
  }
  const length = Number(stated), data = 8 + length;
  if (data > bytes.length) throw refuse(`its header has ${length} bytes, the file ${bytes.length}`);
  const entries = readHeader(bytes.slice(8, data), refuse), metadata = entries.get("__metadata__") ?? {};
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw refuse("its metadata are not texts");
  }
  entries.delete("__metadata__");
  const places = Array.from(entries, ([name, entry]) => readEntry(name, entry, bytes.length - data, refuse));
  let end = 0;
  // This is checked before any tensor is copied: tensors that overlap could together be far larger than the file.
  for (const { name, from, to } of places.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) throw refuse(`tensor ${show(name)} starts at ${from}, the tensor before it ends at ${end}`);
    end = to;
  }
  if (data + end !== bytes.length) {
    throw refuse(`its tensors end at ${end}, the file goes on to ${bytes.length - data}`);
  }
  const tensors: Record<string, StoredTensor> = Object.create(null);
  for (const { name, type, shape, from, to } of places) {
    tensors[name] = { shape, values: new type(bytes.slice(data + from, data + to).buffer) };
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

type Refuse = (why: string) => RangeError;

function readHeader(bytes: Uint8Array, refuse: Refuse): Map<string, unknown> {
  if (bytes[0] !== 0x7b) throw refuse(`its header starts with byte ${bytes[0]}, expected ${0x7b}, that of "{"`);
  let text: string, header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    throw new RangeError(refuse("its header is not JSON").message, { cause });
  }
  const twice = repeatedName(text);
  if (twice !== undefined) throw refuse(`its header names ${show(twice)} twice`);
  return new Map(Object.entries(header as object));
}

function readEntry(name: string, entry: unknown, end: number, refuse: Refuse) {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  const type = typeof dtype === "string" && Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  if (type === undefined) throw refuse(`tensor ${show(name)} is of type ${show(dtype)}, expected one of ${KNOWN}`);
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) {
    throw refuse(`tensor ${show(name)} has no shape or place`);
  }
  const [from, to] = offsets as [number, number];
  if (from > to || to > end) throw refuse(`tensor ${show(name)} is at ${from} to ${to}, beyond the end`);
  const length = (to - from) / type.BYTES_PER_ELEMENT;
  if (!Number.isInteger(length)) throw refuse(`tensor ${show(name)} ends within a number`);
  if (count(shape) !== length) throw refuse(`tensor ${show(name)} has shape [${shape}] and ${length} numbers`);
  return { name, type, shape, from, to };
}

/** How many numbers a shape holds, or NaN if the product exceeds 2⁵³ on the way: no file has so many. */
function count(shape: readonly number[]): number {
  return shape.reduce((product, length) => Number.isSafeInteger(product * length) ? product * length : NaN, 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0 && !Object.is(size, -0));
}
