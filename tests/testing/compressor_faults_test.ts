/** Each check of the suite of compressors by itself: a compressor with one fault, and what the suite says of it. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert/mod.js";
import {
  bernoulli,
  type Compressor,
  describe,
  identity,
  randK,
  topK,
  type UnbiasedCompressor,
} from "../../compressors/mod.ts";
import { adversarialVector, compressorProperties, type CompressorPropertiesOptions } from "../../testing/mod.ts";

const whole = identity();
/** Half of the numbers, doubled: ω = 1 for even sizes. */
const half = randK({ ratio: .5 });

const memory = new Float32Array(2000);

/** The error of the one property whose claim begins so, or undefined if it holds. */
function complaint(compressor: Compressor, claim: string, options: CompressorPropertiesOptions): string | undefined {
  const start = describe(compressor).length + 2;
  const found = compressorProperties(compressor, options).filter(({ name }) => name.slice(start).startsWith(claim));
  assertEquals(found.length, 1, claim);
  try {
    void found[0]!.check();
    return undefined;
  } catch (error) {
    // fast-check tells the counterexample, and has the suite's words below it.
    return ((error as Error).cause as Error ?? error).message;
  }
}

/** `half` whose numbers come out as `change` makes them. */
function decodedAs(change: (value: number, i: number) => number): UnbiasedCompressor {
  return {
    ...half,
    decodeAdd(message, key, scale, into) {
      const own = new Float32Array(into.length);
      half.decodeAdd(message, key, 1, own);
      own.forEach((value, i) => into[i]! += scale * change(value, i));
    },
  };
}

/**
 * An identity whose message begins with a mark and ends with a checksum of what stands from byte 100 on, and which throws
 * a TypeError for what `refuses` says of a message with the mark.
 */
function marked(refuses: (message: Uint8Array, size: number, sound: boolean) => boolean): Compressor {
  const MARK = 0xa7, sum = (bytes: Uint8Array) => bytes.subarray(100).reduce((sum, byte) => sum ^ byte, 0);
  return {
    name: "marked",
    options: {},
    maxByteLength: (size) => 2 + 4 * size,
    encode(vector, key, message) {
      message[0] = MARK;
      const end = 1 + whole.encode(vector, key, message.subarray(1));
      message[end] = sum(message.subarray(0, end));
      return end + 1;
    },
    decodeAdd(message, key, scale, into) {
      const sound = message.at(-1) === sum(message.subarray(0, -1));
      if (message[0] !== MARK) throw new RangeError("not marked");
      if (refuses(message, into.length, sound)) throw new TypeError("a fault of the decoder's own");
      if (!sound || message.length !== 2 + 4 * into.length) throw new RangeError("damaged");
      whole.decodeAdd(message.slice(1, -1), key, scale, into);
    },
  };
}

const equalBytes = "equal vector and key",
  decoding = "decoding is finite",
  damaged = "a message that is not one",
  unbiased = "is unbiased",
  eight = { sizes: [8], kinds: ["gaussian"] };

/** What is wrong, the claim that it violates, what the suite says, and what it is told. */
const faults: [what: string, Compressor, claim: string, says: RegExp, CompressorPropertiesOptions?][] = [
  ["declares half a byte", { ...whole, maxByteLength: (size) => 4 * size + .5 }, equalBytes, /maxByteLength\(0\) is/],
  [
    "says that it wrote more than it may",
    { ...whole, encode: (vector, key, message) => whole.encode(vector, key, message) + 1 },
    equalBytes,
    /1 bytes were written for 0 numbers, declared 0/,
  ],
  [
    "forgets the first number, also the caller's",
    {
      ...whole,
      encode(vector, key, message) {
        vector.fill(0, 0, 1);
        return whole.encode(vector, key, message);
      },
    },
    equalBytes,
    /the vector was modified/,
  ],
  [
    "writes before its message",
    {
      ...whole,
      encode(vector, key, message) {
        if (message.byteOffset > 0) new Uint8Array(message.buffer)[message.byteOffset - 1] = 0;
        return whole.encode(vector, key, message);
      },
    },
    equalBytes,
    /wrote outside the message/,
  ],
  [
    "writes behind its message",
    {
      ...whole,
      encode(vector, key, message) {
        new Uint8Array(message.buffer)[message.byteOffset + message.length] = 0;
        return whole.encode(vector, key, message);
      },
    },
    equalBytes,
    /wrote outside the message/,
  ],
  [
    "sends what a longer vector left in its memory",
    {
      ...whole,
      maxByteLength: (size) => 4 * size + 1,
      encode(vector, key, message) {
        memory.set(vector);
        const length = whole.encode(vector, key, message);
        message[length] = memory[vector.length]!;
        return length + 1;
      },
    },
    equalBytes,
    /equal inputs gave/,
  ],
  [
    "overflows",
    {
      ...whole,
      decodeAdd(message, key, scale, into) {
        whole.decodeAdd(message, key, scale, into);
        into.forEach((value, i) => into[i] = Math.fround(value * 100) / 100);
      },
    },
    decoding,
    /decoded \[.*Infinity/,
  ],
  [
    "decodes in place",
    {
      ...whole,
      decodeAdd(message, key, scale, into) {
        whole.decodeAdd(message, key, scale, into);
        message.reverse();
      },
    },
    decoding,
    /decoding modified the message/,
  ],
  [
    "overwrites",
    {
      ...whole,
      decodeAdd: (message, key, scale, into) => whole.decodeAdd(message, key, scale, into.fill(0)),
    },
    decoding,
    /decodeAdd at scale -1 left/,
  ],
  [
    "writes beside its place",
    {
      ...whole,
      decodeAdd(message, key, scale, into) {
        whole.decodeAdd(message, key, scale, into);
        if (into.byteOffset > 0) new Float32Array(into.buffer)[into.byteOffset / 4 - 1] = 0;
      },
    },
    decoding,
    /left 0 at -1,/,
  ],
  [
    "takes scale 0 for 1",
    {
      ...whole,
      decodeAdd: (message, key, scale, into) => whole.decodeAdd(message, key, scale || 1, into),
    },
    decoding,
    /decodeAdd at scale 0 changed the vector/,
  ],
  ["makes something of nothing", decodedAs((value) => value || 1e-30), "zeros", /zeros of 1 came back as/],
  ["fails on cut messages", marked((m, d) => m.length < 2 + 4 * d && m.length % 4 !== 2), damaged, /own/],
  ["fails on extended messages", marked((m, d) => m.length > 2 + 4 * d && m.length % 4 !== 2), damaged, /own/],
  // Of lengths that nothing but the trials with one number more and one less asks for.
  ["fails on a length one number too short", marked((_, d) => d === 1001), damaged, /own/],
  ["fails on a length one number too long", marked((_, d) => d === 999), damaged, /own/],
  // Made-up messages are shorter.
  [
    "fails on flipped bits beyond byte 100",
    marked((m, d, sound) => m.length > 200 && m.length === 2 + 4 * d && !sound),
    damaged,
    /own/,
  ],
  [
    "decodes damaged messages to NaN",
    {
      ...whole,
      decodeAdd(message, _key, scale, into) {
        const bytes = new Uint8Array(4 * into.length);
        bytes.set(message.subarray(0, bytes.length));
        new Float32Array(bytes.buffer).forEach((value, i) => into[i]! += scale * value);
      },
    },
    damaged,
    /decoded to \[.*(NaN|Infinity)/,
  ],
  ["has less error than its formula", half, "the mean squared error is the exact", /by formula 1.5/, {
    ...eight,
    error: (x) => 1.5 * x.reduce((sum, value) => sum + value * value, 0),
  }],
  ["has more error than its formula", half, "the mean squared error is the exact", /by formula 0.5/, {
    ...eight,
    error: (x) => .5 * x.reduce((sum, value) => sum + value * value, 0),
  }],
  ["declares more than its error", { ...half, omega: () => 2 } as Compressor, "the declared constant", /declared 2/, {
    ...eight,
    worst: () => new Float32Array(8).fill(1),
  }],
  ["has ω NaN", { ...half, omega: () => NaN } as Compressor, "ω is a number", /omega\(0\) is NaN/],
  ["loses a fifth", decodedAs((value) => .8 * value), unbiased, /along x on gaussian of 8/, eight],
  ["adds a constant", decodedAs((value) => value + .2), unbiased, /along \(1, …, 1\) on alternating of 8/, {
    ...eight,
    kinds: ["alternating"],
  }],
  [
    "loses the last number",
    decodedAs((value, i) => i < 60 ? value : 0),
    unbiased,
    /along coordinate 60 on alternating/,
    {
      ...eight,
      sizes: [61],
      kinds: ["alternating"],
    },
  ],
  ["has α = 1", { ...topK({ k: 1 }), alpha: () => 1 } as Compressor, "0 ≤ α < 1", /alpha\(1\) is 1/],
  [
    "declares three quarters of its α",
    { ...topK({ k: 1 }), alpha: (size: number) => .75 * (1 - 1 / size) } as Compressor,
    "its mean squared error is at most α",
    /on allEqual of 8 in 1 draws, above α/,
    { ...eight, kinds: ["allEqual"] },
  ],
  [
    "fails once in 500 draws where every draw must hold",
    {
      ...topK({ k: 7 }),
      encode(vector, key, message) {
        return topK({ k: 7 }).encode((key[0] >>> 0) % 500 === 0 ? new Float32Array(8) : vector, key, message);
      },
    },
    "every draw's squared error",
    /‖C\(x\) − x‖² was .*, above α ‖x‖²/,
    { ...eight, draws: 40 },
  ],
];

for (const [what, compressor, claim, says, options = {}] of faults) {
  Deno.test(`compressorProperties says what is wrong with a compressor that ${what}`, () => {
    const said = complaint(compressor, claim, options);
    assert(said !== undefined && says.test(said), `said ${said?.slice(0, 300)}, expected ${says}`);
  });
}

Deno.test("compressorProperties raises no alarm where draws are too few to see what is rare", () => {
  // Of 61 numbers each is drawn 1.6 times in 100: by half of the seeds at least one of those looked at never is.
  for (const sound of [randK({ k: 1 }), bernoulli({ p: .02 })]) {
    for (let seed = 1; seed <= 10; seed++) {
      assertEquals(complaint(sound, unbiased, { sizes: [61], kinds: ["gaussian"], draws: 100, seed }), undefined);
    }
  }
});

Deno.test("compressorProperties leaves Math.random as it was, whether its checks hold or not", () => {
  const own = Math.random;
  complaint(whole, equalBytes, {});
  assertEquals(Math.random, own);
  complaint(faults[0]![1], equalBytes, {});
  assertEquals(Math.random, own);
});

Deno.test("adversarial vectors differ by kind, size and seed, and unknown kinds are refused", () => {
  const head = (kind: string, size: number, seed: number) => [...adversarialVector(kind, size, seed).subarray(0, 8)];
  const gaussian = head("gaussian", 8, 1);
  assertNotEquals(head("gaussian", 9, 1), gaussian);
  assertNotEquals(head("gaussian", 8, 2), gaussian);
  assertNotEquals(head("offset", 8, 1).map((value) => value - 5), gaussian);
  assert(head("offset", 8, 1).some((value, i) => Math.abs(value - 5 - gaussian[i]!) > 1e-3));
  assertThrows(
    () => adversarialVector("gausian", 3),
    RangeError,
    'of kind "gausian": expected one of gaussian, lognormal',
  );
});
