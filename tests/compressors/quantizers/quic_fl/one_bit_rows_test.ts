import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { oneBitRows } from "../../../../compressors/quantizers/quic_fl/one_bit_rows.ts";
import { QUIC_FL } from "../../../../compressors/quantizers/quic_fl/quic_fl_tables.ts";

Deno.test("half of the rows, with a value below 0 and one above it, and thresholds that rise", () => {
  const rows = 256, half = oneBitRows(rows);
  assertEquals(half.length, rows);
  for (let row = 0; row < rows / 2; row++) {
    assert(half[2 * row]! < 0 && half[2 * row + 1]! > 0);
    assert(row === 0 || half[2 * row]! > half[2 * row - 2]! && half[2 * row + 1]! > half[2 * row - 1]!);
    // −J √((1 − F) / F) · J √(F / (1 − F)) = −J²: the mean square of the value, for every number.
    assertAlmostEquals(-half[2 * row]! * half[2 * row + 1]!, -half[0]! * half[1]!, 1e-9);
  }
  // The error on the standard normal law is J² − 1, but for the few numbers beyond the table.
  assertAlmostEquals(-half[0]! * half[1]! - 1, QUIC_FL[0]!.gaussian, 0.03);
});
