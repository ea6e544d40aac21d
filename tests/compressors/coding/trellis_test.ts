import { assert, assertEquals } from "@std/assert/mod.js";
import {
  BLOCK,
  nearestPath,
  PathMemory,
  squaredError,
  trellis,
  type TrellisStates,
  trellisStates,
} from "../../../compressors/coding/trellis.ts";
import { fold, key, normal, uniform } from "../../../random.ts";

const all = trellisStates as TrellisStates[];

Deno.test("every state has two ways in and two out, and the tables are those of the codes", () => {
  for (const states of all.filter((states) => states > 1)) {
    const { bits, next, before } = trellis(states);
    assertEquals(2 ** bits, states);
    for (let s = 0; s < states; s++) {
      for (const z1 of [0, 1]) {
        const t = next[2 * s + z1]!;
        assertEquals(before[2 * t + z1], s);
        assertEquals(t & 1, s >> (bits - 1));
      }
    }
  }
  // 4 states by hand: s' = (s2, s1 ^ h0₁ s2 ^ h1₁ z1) with h0 = 5, h1 = 2.
  assertEquals([...trellis(4).next], [0, 2, 2, 0, 1, 3, 3, 1]);
});

Deno.test("nearestPath is the nearest allowed path", () => {
  // By exhaustion over all 2^8 choices of ⌊z/2⌋ mod 2; each then takes the nearest integer of its class.
  const count = 8, integers = new Int32Array(count);
  for (const states of all.filter((states) => states > 1 && states <= 64)) {
    const code = trellis(states), memory = new PathMemory(code);
    for (let run = 0; run < 20; run++) {
      const values = Float64Array.from(normal(fold(key(states), run), new Float32Array(count)), (v) => 5 * v);
      const state = run % states, end = nearestPath(code, state, values, count, integers, memory);
      let best = Infinity;
      for (let choice = 0; choice < 2 ** count; choice++) {
        let s = state, cost = 0;
        for (let i = 0; i < count; i++) {
          const z1 = (choice >> i) & 1, z = 2 * z1 + (s >> (code.bits - 1));
          cost += (values[i]! - z - 4 * Math.round((values[i]! - z) / 4)) ** 2;
          s = code.next[2 * s + z1]!;
        }
        best = Math.min(best, cost);
      }
      let s = state, cost = 0;
      for (let i = 0; i < count; i++) {
        assertEquals(integers[i]! & 1, s >> (code.bits - 1), "an integer that the state does not allow");
        cost += (values[i]! - integers[i]!) ** 2;
        s = code.next[2 * s + ((integers[i]! >> 1) & 1)]!;
      }
      assertEquals(s, end);
      assert(Math.abs(cost - best) < 1e-9, `${cost}, nearest ${best}`);
    }
  }
});

Deno.test("the mean square error of every length is the calibrated one to 1 %", () => {
  // Relative deviation of a number's square 0.9: 9e-4 (long) and 3e-3 (short) of the mean. 1 % is 11 and 3.3 deviations;
  // the seed is fixed.
  for (const states of all) {
    const code = trellis(states),
      memory = new PathMemory(code),
      values = new Float64Array(BLOCK),
      z = new Int32Array(BLOCK);
    const measure = (count: number, runs: number) => {
      let sum = 0;
      for (let run = 0; run < runs; run++) {
        const u = uniform(fold(key(count), run), new Float32Array(count));
        for (let i = 0; i < count; i++) values[i] = 4 * u[i]!;
        nearestPath(code, 0, values, count, z, memory);
        for (let i = 0; i < count; i++) sum += (values[i]! - z[i]!) ** 2;
      }
      return sum / runs / squaredError(code, count);
    };
    const scale = states > 64 ? 4 : 1;
    for (const count of [1, 2, 3, 7, 14, 40]) {
      const ratio = measure(count, Math.ceil(1e5 / count / scale));
      assert(Math.abs(ratio - 1) < 0.01 * Math.sqrt(scale), `${states} states, ${count} numbers: ${ratio}`);
    }
    const ratio = measure(BLOCK, 64 / scale);
    assert(Math.abs(ratio - 1) < 0.005, `${states} states, ${BLOCK} numbers: ${ratio}`);
  }
});
