import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { readNpy, writeNpy } from "../../../examples/lab/npy.ts";

Deno.test("what was written is read, and the header is NumPy's", () => {
  for (const size of [0, 1, 5, 1000]) {
    const vector = Float32Array.from({ length: size }, (_, i) => i / 3), bytes = writeNpy(vector);
    assertEquals(readNpy(bytes), vector);
    assertEquals((bytes.length - vector.byteLength) % 64, 0);
  }
  const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }\n";
  const bytes = new Uint8Array(10 + header.length + 16);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0, ...new TextEncoder().encode(header)]);
  new DataView(bytes.buffer).setFloat64(10 + header.length, 1.5, true);
  assertEquals(readNpy(bytes), Float32Array.of(1.5, 0));
});

Deno.test("what is not a file of floats is refused", () => {
  const bytes = writeNpy(Float32Array.of(1, 2));
  assertThrows(() => readNpy(bytes.slice(1)), RangeError, "magic");
  assertThrows(() => readNpy(bytes.slice(0, -1)), RangeError, "holds 7 bytes for 2 numbers");
  const integers = bytes.slice();
  integers[integers.findIndex((byte, i) => byte === 0x66 && integers[i + 1] === 0x34)] = 0x69; // <f4 to <i4
  assertThrows(() => readNpy(integers), RangeError, "its type is <i4");
});
