/**
 * The suite's power: sound toy operators pass every property, and each mutant of them, a fault found in published code,
 * fails one that is named here.
 */

import { assert, assertEquals } from "@std/assert/mod.js";
import {
  type Compressor,
  type ContractiveCompressor,
  describe,
  type UnbiasedCompressor,
} from "../../compressors/mod.ts";
import { choose, fold, key, uniform } from "../../random.ts";
import { compressorProperties } from "../../testing/mod.ts";

type Fault =
  | "none"
  | "identity"
  | "inverted rounding"
  | "shared key"
  | "missing factor"
  | "with replacement"
  | "omega 0"
  | "divides by a zero norm"
  | "keeps state"
  | "calls Math.random"
  | "replaces Math.random"
  | "needs the sender's norm"
  | "trusts the message"
  | "overwrites"
  | "writes too much"
  | "drops the residual"
  | "takes a longer message";

/** Standard dithering with 2 levels of the largest magnitude: float32 norm, one byte a number. ω ≤ (√(1 + (d−1)/4) − 1)/2. */
function toyDithering(fault: Fault = "none"): UnbiasedCompressor {
  let calls = 0, sent = 0;
  return {
    name: "toyDithering",
    options: { fault },
    omega: (size) => fault === "omega 0" ? 0 : (Math.sqrt(1 + Math.max(0, size - 1) / 4) - 1) / 2,
    maxByteLength: (size) => 4 + (fault === "writes too much" ? -1 : 0) + size * (fault === "identity" ? 4 : 1),
    encode(vector, k, message) {
      const view = new DataView(message.buffer, message.byteOffset), size = vector.length;
      if (fault === "identity") {
        vector.forEach((value, i) => view.setFloat32(4 + 4 * i, value, true));
        return 4 + 4 * size;
      }
      const norm = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (fault === "keeps state") calls++;
      if (fault === "calls Math.random") Math.random();
      if (fault === "replaces Math.random") Math.random = () => 0.5;
      sent = norm;
      view.setFloat32(0, fault === "divides by a zero norm" ? norm * (norm / norm) : norm, true);
      const draws = uniform(fold(fault === "shared key" ? key(1) : k, calls), new Float32Array(size));
      for (let i = 0; i < size; i++) {
        const level = norm === 0 ? 0 : 2 * Math.abs(vector[i]!) / norm;
        const fraction = level - Math.floor(level);
        const up = fault === "inverted rounding" ? draws[i]! > fraction : draws[i]! < fraction;
        message[4 + i] = (Math.floor(level) + (up ? 1 : 0)) * Math.sign(vector[i]!) + 2;
      }
      return 4 + size;
    },
    decodeAdd(message, _key, scale, into) {
      const view = new DataView(message.buffer, message.byteOffset, message.length);
      if (fault === "identity") {
        for (let i = 0; i < into.length; i++) into[i]! += scale * view.getFloat32(4 + 4 * i, true);
        return;
      }
      const norm = fault === "needs the sender's norm" ? sent : view.getFloat32(0, true);
      const spare = fault === "takes a longer message" ? message.length - 4 - into.length : 0;
      const legal = norm < Infinity && message.subarray(4).every((byte) => byte <= 4) &&
        message.length === 4 + into.length + Math.max(0, spare);
      if (!legal && fault !== "trusts the message") throw new RangeError("Cannot decode toyDithering");
      for (let i = 0; i < into.length; i++) {
        const value = scale * norm * (message[4 + i]! - 2) / 2;
        into[i] = fault === "overwrites" ? value : into[i]! + value;
      }
    },
  };
}

/** Rand-k: k = ⌈d / 4⌉ float32 at indices of the key, times d / k. */
function toyRandK(fault: Fault = "none"): UnbiasedCompressor {
  const count = (size: number) => Math.ceil(size / 4);
  const indices = (size: number, k: readonly [number, number]) =>
    fault === "with replacement"
      ? uniform(k, new Float32Array(count(size))).map((u) => Math.floor(u * size))
      : choose(fault === "shared key" ? key(1) : k, count(size), size);
  return {
    name: "toyRandK",
    options: { fault },
    omega: (size) => size === 0 ? 0 : size / count(size) - 1,
    maxByteLength: (size) => 4 * count(size),
    encode(vector, k, message) {
      const view = new DataView(message.buffer, message.byteOffset);
      indices(vector.length, k).forEach((at, j) => view.setFloat32(4 * j, vector[at]!, true));
      return 4 * count(vector.length);
    },
    decodeAdd(message, k, scale, into) {
      const view = new DataView(message.buffer, message.byteOffset, message.length), size = into.length;
      if (message.length !== 4 * count(size)) throw new RangeError("Cannot decode toyRandK");
      const factor = fault === "missing factor" ? 1 : size / count(size), most = 3.4e38 / factor;
      indices(size, k).forEach((at, j) => {
        const value = view.getFloat32(4 * j, true);
        if (!Number.isFinite(value)) throw new RangeError("Cannot decode toyRandK");
        into[at] = clamp(into[at]! + scale * factor * Math.max(-most, Math.min(most, value)));
      });
    },
  };
}

const clamp = (value: number) => Math.max(-3.4e38, Math.min(3.4e38, value));

/** A sign with the mean magnitude, and then the residual with toyDithering: unbiased with ω ≤ α ω'. */
function toyInduced(fault: Fault = "none"): UnbiasedCompressor {
  const inner = toyDithering();
  return {
    name: "toyInduced",
    options: { fault },
    omega: (size) => (1 - 1 / Math.max(1, size)) * inner.omega(size),
    maxByteLength: (size) => 4 + size + inner.maxByteLength(size),
    encode(vector, k, message) {
      const size = vector.length, view = new DataView(message.buffer, message.byteOffset);
      const mean = vector.reduce((sum, value) => sum + Math.abs(value), 0) / Math.max(1, size);
      view.setFloat32(0, mean, true);
      const scale = view.getFloat32(0, true), signs = vector.map((value) => value < 0 ? -1 : 1);
      message.set(signs, 4);
      const residual = vector.map((value, i) => fault === "drops the residual" ? 0 : clamp(value - scale * signs[i]!));
      return 4 + size + inner.encode(residual, k, message.subarray(4 + size));
    },
    decodeAdd(message, k, scale, into) {
      const size = into.length;
      if (message.length !== 8 + 2 * size) throw new RangeError("Cannot decode toyInduced");
      const mean = new DataView(message.buffer, message.byteOffset).getFloat32(0, true);
      if (!(mean < Infinity)) throw new RangeError("Cannot decode toyInduced");
      for (let i = 0; i < size; i++) into[i]! += scale * mean * (message[4 + i] === 1 ? 1 : -1);
      inner.decodeAdd(message.subarray(4 + size), k, scale, into);
      for (let i = 0; i < size; i++) into[i] = clamp(into[i]!);
    },
  };
}

/** The largest number and nothing else. Its α is 1 − 1/d. */
function toyTop(alpha: (size: number) => number): ContractiveCompressor {
  return {
    name: "toyTop",
    options: {},
    alpha,
    everyDraw: true,
    maxByteLength: (size) => size === 0 ? 0 : 8,
    encode(vector, _key, message) {
      let top = 0;
      vector.forEach((value, i) => Math.abs(value) > Math.abs(vector[top]!) ? top = i : 0);
      const view = new DataView(message.buffer, message.byteOffset);
      if (vector.length > 0) view.setUint32(0, top), view.setFloat32(4, vector[top]!);
      return vector.length === 0 ? 0 : 8;
    },
    decodeAdd(message, _key, scale, into) {
      if (message.length !== (into.length === 0 ? 0 : 8)) throw new RangeError("Cannot decode toyTop");
      if (into.length === 0) return;
      const view = new DataView(message.buffer, message.byteOffset, message.length), top = view.getUint32(0);
      if (top >= into.length || !Number.isFinite(view.getFloat32(4))) throw new RangeError("Cannot decode toyTop");
      into[top]! += scale * view.getFloat32(4);
    },
  };
}

const withinLimits = {
  kinds: ["gaussian", "lognormal", "allEqual", "oneHot", "twoHot", "alternating", "ramp", "offset"],
};

/** The exact error of toyDithering: (N/2)² Σ frac(v) (1 − frac(v)), v = 2 |x| / N. */
function ditheringError(vector: Float32Array): number {
  const norm = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  return vector.reduce((sum, value) => {
    const level = 2 * Math.abs(value) / norm, fraction = level - Math.floor(level);
    return sum + norm * norm / 4 * fraction * (1 - fraction);
  }, 0);
}

/** The names of the properties that fail. */
function failures(compressor: Compressor, options = {}): string[] {
  const failed: string[] = [];
  for (const { name, check } of compressorProperties(compressor, { ...withinLimits, ...options })) {
    try {
      check();
    } catch {
      failed.push(name.slice(describe(compressor).length + 2));
    }
  }
  return failed;
}

Deno.test("sound operators pass, with their exact errors", () => {
  assertEquals(failures(toyDithering(), { error: ditheringError }), []);
  assertEquals(failures(toyRandK()), []);
  assertEquals(failures(toyInduced()), []);
  assertEquals(failures(toyTop((size) => 1 - 1 / Math.max(1, size))), []);
});

const mutants: [Compressor, string][] = [
  [toyDithering("identity"), "loses what it declares"],
  [toyDithering("inverted rounding"), "is unbiased"],
  [toyDithering("shared key"), "is unbiased"],
  [toyDithering("shared key"), "the errors of two ranks"],
  [toyDithering("omega 0"), "its variance is at most ω"],
  [toyDithering("divides by a zero norm"), "zeros are decoded"],
  [toyDithering("keeps state"), "equal vector and key"],
  [toyDithering("calls Math.random"), "equal vector and key"],
  [toyDithering("replaces Math.random"), "equal vector and key"],
  [toyDithering("needs the sender's norm"), "a message decodes from its bytes"],
  [toyDithering("trusts the message"), "a message that is not one of its own"],
  [toyDithering("takes a longer message"), "a byte too many or too few"],
  [toyDithering("overwrites"), "decoding is finite, linear"],
  [toyDithering("writes too much"), "equal vector and key"],
  [toyRandK("missing factor"), "is unbiased"],
  [toyRandK("shared key"), "the errors of two ranks"],
  [toyRandK("with replacement"), "its variance is at most ω"],
  [toyInduced("drops the residual"), "is unbiased"],
  [toyTop((size) => size < 2 ? 0 : 1 - 2 / size), "every draw's squared error"],
];
for (const [mutant, caught] of mutants) {
  Deno.test(`${mutant.name} with the fault "${mutant.options.fault}" fails "${caught} …"`, () => {
    const failed = failures(mutant);
    assert(failed.some((name) => name.startsWith(caught)), `only failed: ${failed.join("; ")}`);
  });
}

Deno.test("a smaller bias than any mutant's is seen: 2 % along the input", () => {
  const sound = toyDithering(),
    off: UnbiasedCompressor = {
      ...sound,
      decodeAdd: (message, k, scale, into) => sound.decodeAdd(message, k, 0.98 * scale, into),
    };
  assert(failures(off).some((name) => name.startsWith("is unbiased")));
});

Deno.test("a lattice test fails for what is off the grid", () => {
  const lattice = (decoded: Float32Array, vector: Float32Array) => {
    const norm = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return decoded.every((value) =>
      value === 0 || Math.abs(value) === norm || Math.abs(value) === Math.fround(norm / 2)
    );
  };
  assertEquals(failures(toyDithering(), { lattice }), []);
  assert(failures(toyDithering("identity"), { lattice }).includes("decodes onto its grid"));
});
