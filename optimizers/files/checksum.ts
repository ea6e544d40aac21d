/** The checksum in a checkpoint. @module */

import { digest } from "./digest.ts";

/** The name of the format in the metadata of a checkpoint. */
export const FORMAT = "gradwire checkpoint";

/** Stands in a file in place of the checksum until that is known. */
export const NO_CHECKSUM = "0".repeat(16);

/** The beginning of a checkpoint's header, after the 8 bytes of its length. The checksum follows it. */
const BEGINNING = new TextEncoder().encode('{"__metadata__":{"checksum":"');
const START = 8 + BEGINNING.length, END = START + NO_CHECKSUM.length;

/**
 * The digest of all bytes of a file except for the checksum's own. Every change within one word of 32 bits changes it,
 * and any other accidental change with a chance of 1 − 2⁻⁶⁴. It is no protection against forgery.
 */
function checksumOf(file: Uint8Array): string {
  return digest().bytes(file.subarray(0, START)).bytes(file.subarray(END)).hex();
}

/** Writes a file's checksum into it. */
export function writeChecksum(file: Uint8Array): Uint8Array {
  file.set(new TextEncoder().encode(checksumOf(file)), START);
  return file;
}

/** @throws {RangeError} unless a file has the checksum that it states */
export function checkChecksum(file: Uint8Array): void {
  const stated = BEGINNING.every((byte, i) => file[8 + i] === byte)
    ? String.fromCharCode(...file.subarray(START, END))
    : "nothing";
  const checksum = checksumOf(file);
  if (stated !== checksum) {
    throw new RangeError(
      `Cannot restore: the checkpoint is damaged: its checksum is ${checksum}, the file says ${stated}`,
    );
  }
}
