/** The checksum of a checkpoint. @module */

import { digest } from "./digest.ts";

/** What the metadata of a checkpoint call it. */
export const FORMAT = "gradwire checkpoint";

/** What stands in a file in the place of its checksum until that is known. */
export const NO_CHECKSUM = "0".repeat(16);

/** How the header of a checkpoint begins, behind its length: the checksum is always at the same place. */
const BEGINNING = new TextEncoder().encode('{"__metadata__":{"checksum":"');
const START = 8 + BEGINNING.length, END = START + NO_CHECKSUM.length;

/**
 * The digest of all bytes of a file but the checksum's own. A change within one word of 32 bits always changes it, that
 * of a single bit therefore too; any other accidental change with a chance of 1 − 2⁻⁶⁴. It is no protection against
 * someone who forges files.
 */
function checksumOf(file: Uint8Array): string {
  return digest().bytes(file.subarray(0, START)).bytes(file.subarray(END)).hex();
}

/** Writes a file's checksum into it. */
export function writeChecksum(file: Uint8Array): Uint8Array {
  file.set(new TextEncoder().encode(checksumOf(file)), START);
  return file;
}

/** Throws a RangeError unless a file has the checksum that it states. */
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
