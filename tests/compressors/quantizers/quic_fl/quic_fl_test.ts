import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert/mod.js";
import { compress, type Compressor, decompress, quicFl } from "../../../../compressors/mod.ts";
import { unpack } from "../../../../compressors/kernels/pack.ts";
import { quicFlTable } from "../../../../compressors/kernels/quic_fl_table.ts";
import { oneBitRows } from "../../../../compressors/quantizers/quic_fl/one_bit_rows.ts";
import { QUIC_FL } from "../../../../compressors/quantizers/quic_fl/quic_fl_tables.ts";
import { rotateBlock } from "../../../../compressors/kernels/rotation.ts";
import { bits as words, fold, key } from "../../../../random.ts";
import { draws, encodeHex, gaussian, once, squaredNorm, twoHot, X } from "../../tools/draws.ts";
import { suite } from "../../tools/suite.ts";

function tableOf(bits: number) {
  const { rows, half } = QUIC_FL[bits - 1]!;
  return quicFlTable(bits, rows, bits === 1 ? oneBitRows(rows) : half);
}

// Slack: sums in float32; ω is that of N(0, 1), which rotated numbers follow to 2 %.
for (const bits of [1, 3]) suite(quicFl({ bits }), { slack: 0.02, draws: 1500 });

Deno.test("vNMSE on gaussian and sparse vectors is the table's; the mean of n ranks has 1/n of it", () => {
  for (const [bits, omega] of [[1, 1.452285], [2, 0.21361], [3, 0.042668], [4, 0.009518]] as const) {
    const c = quicFl({ bits });
    assertAlmostEquals(c.omega(100), omega, 1e-4);
    for (const x of [gaussian(8192), twoHot(8192)]) {
      assertAlmostEquals(draws(c, x, 30).error / squaredNorm(x), omega, 0.04 * omega);
    }
  }
  const c = quicFl({ bits: 1 }), x = gaussian(8192), sum = new Float32Array(8192);
  for (let rank = 0; rank < 16; rank++) {
    const k = fold(key(1), rank);
    c.decodeAdd(compress(c, x, k), k, 1 / 16, sum);
  }
  assertAlmostEquals(squaredNorm(sum.map((v, i) => v - x[i]!)) / squaredNorm(x), 1.452 / 16, 0.1 * 1.452 / 16);
});

Deno.test("outliers are exact and few; messages are pinned", () => {
  const bits = (b: number, x: Float32Array) => 8 * compress(quicFl({ bits: b }), x, key(1)).length / x.length;
  assertAlmostEquals(bits(2, gaussian(81920)), 2 + 48 / 512 + 48 / 8192, 0.01);
  assertEquals(encodeHex(quicFl({ bits: 2 }), X), "6f452f4000009a");
  assertEquals(
    encodeHex(quicFl({ bits: 3 }), gaussian(64).map((v) => Math.round(4 * v))),
    "44ed75400000759daac9aa2a39425d8d2b9372dcc575e45c2a3b5646c94e",
  );
  assertEquals(compress(quicFl({ bits: 2 }), new Float32Array(64), key(1)).length, 4);
});

Deno.test("a mutant with another shared number is caught", () => {
  const c = quicFl({ bits: 2 }), x = gaussian(100);
  const other: Compressor = { ...c, decodeAdd: (m, k, scale, into) => c.decodeAdd(m, fold(k, 1), scale, into) };
  assert(draws(other, x, 200).deviation > 7);
});

Deno.test("outliers in another order, or of numbers that are none, are refused", () => {
  const compressor = quicFl({ bits: 4 }), x = gaussian(1024), k = key(3);
  const message = compress(compressor, x, k).slice(),
    view = new DataView(message.buffer),
    count = view.getUint16(4, true);
  const decode = (bytes: Uint8Array) => () => decompress(compressor, bytes, k, x.length);
  decode(message)();
  assertEquals(count > 1, true);
  const first = message.slice(6, 12), swapped = message.slice();
  swapped.set(message.subarray(12, 18), 6), swapped.set(first, 12);
  assertThrows(decode(swapped), RangeError, "an outlier");
  const small = message.slice();
  new DataView(small.buffer).setFloat32(8, 0.5, true);
  assertThrows(decode(small), RangeError, "an outlier of 0.5");
});

Deno.test("wrong options and foreign messages are refused", () => {
  for (const bits of [0, 1.5, 5]) assertThrows(() => quicFl({ bits }), RangeError, `bits is ${bits}`);
  const message = compress(quicFl({ bits: 2 }), X, key(1)).slice(), into = new Float32Array(4);
  assertThrows(() => decompress(quicFl({ bits: 2 }), message.subarray(0, 6), key(1), 4), RangeError, "6 bytes");
  message[4] = 200;
  assertThrows(() => quicFl({ bits: 2 }).decodeAdd(message, key(1), 1, into), RangeError, "200 outliers");
  assertEquals(once(quicFl({ bits: 4 }), X).length, words(key(1), new Uint32Array(4)).length);
});

Deno.test("the sender's draws are independent of the words that the shared numbers are made of", () => {
  // Number j is rounded up by chance where its h takes the step around it, one in 32 of all. Were the sender's word j the
  // word j of the shared stream, whose last byte is the h of number 4 j + 3, that h would tell which way it went.
  const bits = 2,
    size = 256,
    c = quicFl({ bits }),
    table = tableOf(bits),
    x = gaussian(size),
    data = new Float32Array(size);
  const codes = new Uint32Array(size), shared = new Uint8Array(size);
  let sum = 0, squares = 0, seen = 0;
  for (let i = 0; i < 1000; i++) {
    const k = fold(key(3), i), own = fold(k, 0), message = compress(c, x, k), view = new DataView(message.buffer);
    const unit = view.getFloat32(0, true), outliers = view.getUint16(4, true);
    data.set(x.map((value) => value / unit));
    rotateBlock(data, size, own);
    words(fold(own, -1), new Uint32Array(shared.buffer));
    unpack(message, 6 + 6 * outliers, bits, codes);
    for (let j = 0; j < size / 4; j++) {
      const z = data[j]!, node = table.nodes.findLastIndex((node) => node <= z), h = shared[j]! & (table.rows - 1);
      if (node < 0 || node + 1 >= table.nodes.length || table.stepOf[node] !== h) continue;
      const up = codes[j] === table.symbols[node * table.rows + h]! + 1 ? 1 : 0;
      const chance = (z - table.nodes[node]!) / (table.nodes[node + 1]! - table.nodes[node]!);
      const product = (up - chance) * (shared[4 * j + 3]! - 127.5);
      sum += product, squares += product * product, seen++;
    }
  }
  assert(seen > 1000);
  // A mean of 0 is 7 standard errors off once in 4e11.
  assert(Math.abs(sum) < 7 * Math.sqrt(squares), `${sum / Math.sqrt(squares)} standard errors in ${seen} numbers`);
});
