import { assert, assertAlmostEquals, assertEquals } from "@std/assert/mod.js";
import { quicFlDecode, quicFlEncode, quicFlTable } from "../../../compressors/kernels/quic_fl_table.ts";
import { oneBitRows } from "../../../compressors/quantizers/quic_fl/one_bit_rows.ts";
import { QUIC_FL } from "../../../compressors/quantizers/quic_fl/quic_fl_tables.ts";

function tableOf(bits: number) {
  const { rows, half } = QUIC_FL[bits - 1]!;
  return quicFlTable(bits, rows, bits === 1 ? oneBitRows(rows) : half);
}

Deno.test("for every z the mean over the shared numbers and the sender's draw is z, by enumeration", () => {
  for (const bits of [1, 2, 3, 4]) {
    const { rows, gaussian, worst } = QUIC_FL[bits - 1]!, table = tableOf(bits), draws = 2000;
    assertAlmostEquals(table.nodes.at(-1)!, bits === 1 ? 3.0955 : 3.0973, 1e-4);
    const z = new Float32Array(1), shared = new Uint8Array(1), code = new Uint32Array(1), out = new Float32Array(1);
    const outliers = new Uint16Array(1);
    /** The receiver's value for the row h and a draw in [0, 1). */
    const value = (h: number, draw: number) => {
      shared[0] = h - rows, code[0] = draw * 2 ** 32; // only the lower bits of h count
      assertEquals(quicFlEncode(z, table, shared, code, outliers), 0);
      quicFlDecode(code, table, shared, out);
      return out[0]!;
    };
    const step = 6.18 / 101;
    let error = 0;
    for (let j = 0; j <= 101; j++) {
      z[0] = -3.09 + step * j;
      let mean = 0, square = 0;
      const add = (v: number, p: number) => (mean += p * v / rows, square += p * (v - z[0]!) ** 2 / rows);
      for (let h = 0; h < rows; h++) {
        const low = value(h, 0);
        if (low === value(h, 1 - 2 ** -32)) add(low, 1);
        else for (let i = 0; i < draws; i++) add(value(h, (i + 0.5) / draws), 1 / draws);
      }
      // The largest gap between a row's values is 60: half a draw in one row.
      assertAlmostEquals(mean, z[0]!, 60 / rows / draws / 2 + 1e-6);
      error += square * step * Math.exp(-z[0]! * z[0]! / 2) / Math.sqrt(2 * Math.PI);
    }
    assertAlmostEquals(error, gaussian, 0.02 * gaussian);
    assert(worst > gaussian);
  }
});

Deno.test("a mutant without the sender's draw is caught: the step nearest to its end is taken or not", () => {
  // Biased for every z.
  const table = tableOf(2), z = 1.001, shared = new Uint8Array(1), code = new Uint32Array(1);
  let mean = 0;
  for (let h = 0; h < 32; h++) {
    shared[0] = h, code[0] = 2 ** 32 - 1;
    quicFlEncode(Float32Array.of(z), table, shared, code, new Uint16Array(1));
    const out = new Float32Array(1);
    quicFlDecode(code, table, shared, out);
    mean += out[0]! / 32;
  }
  assert(Math.abs(mean - z) > 1e-3);
});
