import { assert, assertEquals } from "@std/assert/mod.js";
import { readManifest, writeManifest } from "../../../optimizers/files/step_folder.ts";
import { canonical } from "../../../transport/handshake.ts";

Deno.test("steps: every flipped bit of a manifest is refused, or changes nothing that it says", () => {
  const bytes = writeManifest({
    step: 12,
    save: 3,
    run: "0a1b",
    time: "2026-01-01T00:00:00.000Z",
    files: [{ name: "rank-0.safetensors", bytes: 7, digest: "00ff", position: { "\u001b": [1] } }],
  });
  const manifest = canonical(readManifest(bytes));
  let same = 0;
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
    try {
      assertEquals(canonical(readManifest(bytes)), manifest);
      same++;
    } catch (error) {
      assert(error instanceof RangeError, `${error}`);
    }
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
  }
  // The letter of an escape has two cases, and white space two bits that leave it white: nothing else.
  assert(same < 40, `${same}`);
});
