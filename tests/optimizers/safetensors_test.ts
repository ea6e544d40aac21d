import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import fc from "fast-check";
import { readSafetensors, type Safetensors, writeSafetensors } from "../../optimizers/mod.ts";

const example: Safetensors = {
  tensors: {
    a: { shape: [3], values: Uint8Array.of(1, 2, 3) },
    b: { shape: [1, 2], values: Float32Array.of(1, -0) },
    c: { shape: [], values: Int32Array.of(-7) },
    d: { shape: [0, 5], values: new Float32Array(0) },
  },
  metadata: { by: "Grüße" },
};

const file = (header: string, data = 0) => {
  const text = new TextEncoder().encode(header), bytes = new Uint8Array(8 + text.length + data);
  bytes[0] = text.length, bytes.set(text, 8);
  return bytes;
};

Deno.test("safetensors: what is written is read, and the bytes are those of the format", () => {
  const bytes = writeSafetensors(example), { tensors, metadata } = readSafetensors(bytes);
  assertEquals({ ...tensors }, { ...example.tensors });
  assert(Object.is(tensors["b"]!.values[1], -0));
  assertEquals(metadata, example.metadata);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assertEquals(length % 8, 0);
  assertEquals(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))["c"], {
    dtype: "I32",
    shape: [],
    data_offsets: [8, 12],
  });
  assertEquals(bytes.length, 8 + length + 4 * 2 + 4 + 3);
  assertEquals(readSafetensors(writeSafetensors({ tensors: {}, metadata: {} })).metadata, {});
});

Deno.test("safetensors: a file written by the format's own words", () => {
  const bytes = file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4);
  new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1.5, true);
  assertEquals(readSafetensors(bytes).tensors["w"], { shape: [1], values: Float32Array.of(1.5) });
});

Deno.test("safetensors: what is not a file is refused with the reason", () => {
  for (
    const [bytes, why] of [
      [new Uint8Array(7), "it has 7 bytes"],
      [new Uint8Array(8).fill(255), "its header has"],
      [file("{"), "not JSON"],
      [file("[]"), "not an object"],
      [file('{"__metadata__":{"a":1}}'), "not texts"],
      [file('{"w":1}'), "of type undefined"],
      [file('{"w":{"dtype":"toString","shape":[],"data_offsets":[0,0]}}'), "of type toString"],
      [file('{"w":{"dtype":"F32","shape":[1]}}'), "no shape or place"],
      [file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 3), "beyond the end"],
      [file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}', 4), "ends within a number"],
      [file('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4), "shape [2] and 1 numbers"],
      [file('{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4), "no shape or place"],
    ] as const
  ) assertThrows(() => readSafetensors(bytes), RangeError, why);
  assertThrows(
    () => writeSafetensors({ tensors: { w: { shape: [2], values: new Float32Array(1) } }, metadata: {} }),
    RangeError,
    "its shape is [2], it has 1 numbers",
  );
});

Deno.test("safetensors: hostile bytes are read or refused, never anything else", () => {
  const bytes = writeSafetensors(example);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255))), fc.nat(bytes.length), (flips, length) => {
      const hostile = bytes.slice(0, length);
      for (const [at, value] of flips) hostile[at] = value;
      try {
        readSafetensors(hostile);
      } catch (error) {
        assert(error instanceof RangeError, `${error}`);
      }
    }),
    { seed: 1, numRuns: 2000 },
  );
});
