import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { checkChecksum, FORMAT, NO_CHECKSUM, writeChecksum } from "../../../optimizers/files/checksum.ts";
import { writeSafetensors } from "../../../optimizers/files/safetensors.ts";

const file = () => writeSafetensors({ tensors: {}, metadata: { checksum: NO_CHECKSUM, format: FORMAT } });

Deno.test("checksum: written at its place, it is found right, and every other byte counts", () => {
  const bytes = writeChecksum(file());
  checkChecksum(bytes);
  assertEquals(/[0-9a-f]{16}/.exec(new TextDecoder().decode(bytes.subarray(37, 53)))![0].length, 16);
  assertEquals(bytes.findIndex((byte, i) => byte !== file()[i]) >= 37, true);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i]! ^= 1;
    assertThrows(() => checkChecksum(bytes), RangeError, "the checkpoint is damaged: its checksum is");
    bytes[i]! ^= 1;
  }
  assertThrows(() => checkChecksum(file()), RangeError, `the file says ${NO_CHECKSUM}`);
  assertThrows(() => checkChecksum(new Uint8Array(60)), RangeError, "the file says nothing");
});
