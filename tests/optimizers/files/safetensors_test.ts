import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { readSafetensors, type Safetensors, type TensorNumbers, writeSafetensors } from "../../../optimizers/mod.ts";

const example: Safetensors = {
  tensors: {
    a: { shape: [3], values: Uint8Array.of(1, 2, 3) },
    b: { shape: [1, 2], values: Float32Array.of(1, -0) },
    c: { shape: [], values: Int32Array.of(-7) },
    d: { shape: [0, 5], values: new Float32Array(0) },
  },
  metadata: { by: "Grüße" },
};

const f32 = (from: number) => `{"dtype":"F32","shape":[1],"data_offsets":[${from},${from + 4}]}`;
const file = (header: string, data = 0) => {
  const text = new TextEncoder().encode(header), bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setUint32(0, text.length, true), bytes.set(text, 8);
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
      [file("[]"), "starts with byte 91"],
      [file('{"__metadata__":{"a":1}}'), "not texts"],
      [file('{"w":1}'), "of type undefined"],
      [file('{"w":{"dtype":"toString","shape":[],"data_offsets":[0,0]}}'), 'of type "toString"'],
      [file('{"w":{"dtype":"F32","shape":[1]}}'), "no shape or place"],
      [file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 3), "beyond the end"],
      [file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,3]}}', 4), "ends within a number"],
      [file('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4), "shape [2] and 1 numbers"],
      [file('{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4), "no shape or place"],
      [file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[-0,4]}}', 4), "no shape or place"],
      [file(' {"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), "starts with byte 32"],
      [file('\ufeff{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), "starts with byte 239"],
      [
        file('{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', 4),
        'of type "F16", expected one of F64, F32, I32, U8',
      ],
      [file('{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}', 4), 'of type "BF16"'],
      [file('{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}}', 4), "ends within a number"],
      [file("{}", 4), "its tensors end at 0, the file goes on to 4"],
      // Without holes or overlaps.
      [file(`{"a":${f32(0)},"b":${f32(0)}}`, 4), '"b" starts at 0, the tensor before it ends at 4'],
      [file(`{"a":${f32(4)}}`, 8), '"a" starts at 4, the tensor before it ends at 0'],
      [file(`{"a":${f32(8)},"b":${f32(0)}}`, 12), '"a" starts at 8, the tensor before it ends at 4'],
      [file(`{"a":${f32(0)}}`, 8), "end at 4, the file goes on to 8"],
      [file(`{"a":${f32(0)},"z":{"dtype":"F32","shape":[0],"data_offsets":[2,2]}}`, 4), '"z" starts at 2'],
      // No name twice, however it is written and on whatever level.
      [file(`{"a":${f32(0)},"a":${f32(0)}}`, 4), 'names "a" twice'],
      [file(`{"a":${f32(0)},"\\u0061":${f32(0)}}`, 4), 'names "a" twice'],
      [
        file(`{"a": ${f32(0)} , "b":{"dtype":"F32","dtype" :"I32","shape":[],"data_offsets":[4,8]}}`, 8),
        '"dtype" twice',
      ],
      [file('{"__metadata__":{"x":"1","x":"2"}}'), 'names "x" twice'],
      [file('{"__metadata__":{},"__metadata__":{}}'), 'names "__metadata__" twice'],
      // Products of lengths that no number holds exactly.
      [file('{"w":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'), "0 numbers"],
      [file('{"w":{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}'), "0 numbers"],
      [file('{"w":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,0]}}'), "no shape or place"],
    ] as const
  ) assertThrows(() => readSafetensors(bytes), RangeError, why);
  assertThrows(
    () => writeSafetensors({ tensors: { w: { shape: [2], values: new Float32Array(1) } }, metadata: {} }),
    RangeError,
    "its shape is [2], it has 1 numbers",
  );
});

Deno.test("safetensors: what no file can hold is not written", () => {
  const write = (name: string, values: unknown, shape: readonly number[] = [1]) => () =>
    writeSafetensors({ tensors: { [name]: { shape, values: values as Float32Array } }, metadata: {} });
  const one = new Float32Array(1);
  assertThrows(write("w", new Int16Array(1)), TypeError, "its numbers are a Int16Array, expected one of Float64Array");
  assertThrows(write("w", [1]), TypeError, "its numbers are an array");
  assertThrows(write("__metadata__", one), RangeError, "no tensor of that name");
  assertThrows(write("\ud800", one), RangeError, "no tensor of that name");
  assertThrows(write("w", one, [-1]), RangeError, "its shape is [-1]");
  assertThrows(write("w", new Float32Array(0), [2 ** 32, 2 ** 32, 0]), RangeError, "it has 0 numbers");
  const metadata = { a: 1 } as unknown as Record<string, string>;
  assertThrows(() => writeSafetensors({ tensors: {}, metadata }), TypeError, 'metadata "a": it is 1, expected a text');
});

Deno.test("safetensors: a header of more than 100 MB is refused before it is read", () => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, 100_000_001n, true);
  assertThrows(() => readSafetensors(bytes), RangeError, "its header has 100000001 bytes, expected at most 100000000");
  assertThrows(() => readSafetensors(new ArrayBuffer(16) as never), TypeError, "expected its bytes as a Uint8Array");
});

Deno.test("safetensors: tensors that overlap are refused before they are copied", () => {
  // 20 000 tensors of 4 MB each, all in the same 4 MB: 80 GB if they were copied.
  const entry = '{"dtype":"U8","shape":[4000000],"data_offsets":[0,4000000]}';
  const header = `{${Array.from({ length: 20_000 }, (_, i) => `"${i}":${entry}`)}}`;
  assertThrows(() => readSafetensors(file(header, 4_000_000)), RangeError, "the tensor before it ends at 4000000");
});

Deno.test("safetensors: a file as the reference implementation lays it out", () => {
  // Wider types first, then by name; tensors of no numbers anywhere; members in any order; spaces at the end.
  const header = '{"__metadata__":{"format":"pt"},"b":{"shape":[1,1],"dtype":"F64","data_offsets":[0,8]},' +
    '"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"none":{"dtype":"F32","shape":[3,0],"data_offsets":[12,12]},' +
    '"u":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}}   ';
  const bytes = file(header, 15), view = new DataView(bytes.buffer), data = bytes.length - 15;
  view.setFloat64(data, 2 ** 53, true), view.setFloat32(data + 8, -0, true), bytes.set([1, 2, 3], data + 12);
  const { tensors, metadata } = readSafetensors(bytes);
  assertEquals(metadata, { format: "pt" });
  assertEquals({ ...tensors }, {
    b: { shape: [1, 1], values: Float64Array.of(2 ** 53) },
    a: { shape: [], values: Float32Array.of(-0) },
    none: { shape: [3, 0], values: new Float32Array(0) },
    u: { shape: [3], values: Uint8Array.of(1, 2, 3) },
  });
});

Deno.test("safetensors: Buffers, views at odd offsets and shared memory are read as any bytes", () => {
  const bytes = writeSafetensors(example), expected = readSafetensors(bytes);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 3), 3);
  shared.set(bytes);
  const within = new Uint8Array(bytes.length + 5);
  within.set(bytes, 5);
  for (const file of [Buffer.from(bytes), Buffer.from(within.slice().buffer, 5), within.subarray(5), shared]) {
    const { tensors } = readSafetensors(file);
    assertEquals(tensors, expected.tensors);
    // A copy: what is read does not change with the file's bytes.
    file.fill(0);
    assertEquals(tensors, expected.tensors);
  }
});

Deno.test("safetensors: whatever names, texts, shapes and numbers: what is written is read", () => {
  // No backslashes in names: V8 15.0's JSON.parse takes the name "\"" for "\\" where it has read an object with that name before.
  const name = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("__proto__", "constructor", "toString", "0", "", '"', "\u0007"),
  ).filter((name) => name !== "__metadata__" && !name.includes("\\"));
  const shape = fc.array(fc.nat(3), { maxLength: 3 }),
    type = fc.constantFrom(Float64Array, Float32Array, Int32Array, Uint8Array);
  const tensor = fc.tuple(name, shape, type, fc.infiniteStream(fc.integer({ min: 0, max: 255 })));
  const texts = fc.array(fc.tuple(name, fc.string({ unit: "grapheme" })));
  fc.assert(
    fc.property(fc.array(tensor, { maxLength: 6 }), texts, (list, texts) => {
      const tensors = Object.fromEntries(list.map(([name, shape, Type, numbers]) => {
        const length = shape.reduce((a, b) => a * b, 1);
        return [name, {
          shape,
          values: (Type as Uint8ArrayConstructor).from({ length }, () => numbers.next().value!) as TensorNumbers,
        }];
      }));
      const metadata = Object.fromEntries(texts), file = writeSafetensors({ tensors, metadata });
      const read = readSafetensors(file);
      assertEquals(Object.entries(read.tensors).sort(), Object.entries(tensors).sort());
      assertEquals(Object.entries(read.metadata).sort(), Object.entries(metadata).sort());
      // Every tensor starts at a multiple of its numbers' width, so that others may map the file into memory.
      const length = Number(new DataView(file.buffer).getBigUint64(0, true));
      const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
      for (const [name, { values }] of Object.entries(tensors)) {
        assertEquals((8 + length + header[name].data_offsets[0]) % values.BYTES_PER_ELEMENT, 0);
      }
    }),
    { seed: 3, numRuns: 500 },
  );
});

Deno.test("safetensors: of every flipped bit, the file is refused or another one that is sound", () => {
  const bytes = writeSafetensors(example), length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >>> 3]! ^= 1 << (bit & 7);
    let read: Safetensors | undefined;
    try {
      read = readSafetensors(flipped);
    } catch (error) {
      assert(error instanceof RangeError, `bit ${bit}: ${error}`);
    }
    // A bit of the header's length always tells, one of a number never can: the format has no checksum.
    if (bit < 64) assertEquals(read, undefined);
    if (bit >= 64 + 8 * length) assert(read !== undefined);
    if (read) assertEquals(readSafetensors(writeSafetensors(read)), read);
  }
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
