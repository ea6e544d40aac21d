/** What a method makes of messages that are not its own. */

import { assert, assertEquals } from "@std/assert/mod.js";
import fc from "fast-check";
import { context, parseMethod, workspace } from "../../optimizers/mod.ts";
import { fold, key, normal } from "../../random.ts";
import { type Exchange, performTogether, type WireRound } from "../../transport/mod.ts";
import { methods } from "../transport/same_bits.ts";

const layout = { names: ["kernel", "bias"], shapes: [[6, 4], [5]], size: 29 }, size = 2, steps = 8;

/** A run of two ranks; what rank 0 receives from rank 1 is damaged. */
function run(text: string, damage: (message: Uint8Array) => Uint8Array): void {
  const method = parseMethod(text);
  const states = [0, 1].map(() => method.init(layout, size)), memory = states.map(() => workspace());
  const parameters = states.map(() => new Float32Array(layout.size));
  for (let step = 0; step < steps; step++) {
    const gradients = states.map((_, rank) => normal(fold(key(step), rank), new Float32Array(layout.size)));
    const exchanges = states.map((state, rank) => {
      const now = { seed: 4, step, rank, size, workspace: memory[rank]!, learningRate: 0.1 };
      return method.reduce(gradients[rank]!, state, context({ ...now, parameters: parameters[rank]!.slice() }));
    });
    const before = structuredClone(states[0]);
    try {
      advance(exchanges, damage);
    } catch (error) {
      assertEquals(states[0], before, `${text}: the state after step ${step} was refused`);
      throw error;
    }
    const [result] = gradients;
    assert(result!.every(Number.isFinite), `${text}: ${result} after step ${step}`);
    gradients.forEach((vector, rank) => {
      if (method.yields === "parameters") parameters[rank]!.set(vector);
    });
  }
}

function advance(exchanges: readonly Exchange[], damage: (message: Uint8Array) => Uint8Array): void {
  let replies: (readonly Uint8Array[])[] = exchanges.map(() => []), started = replies;
  for (;;) {
    const asked = exchanges.map((exchange, rank) => {
      let next = exchange.next(replies[rank]!);
      while (!next.done && next.value.op === "gradient") {
        const { at, into } = next.value;
        into.set(at);
        next = exchange.next([]);
      }
      return next;
    });
    if (asked.some(({ done }) => done)) return;
    const rounds = asked.map(({ value }) => value!);
    if (rounds[0]!.op === "finish") {
      replies = started;
      continue;
    }
    const wire = rounds.map((round) => round.op === "start" ? round.round : round as WireRound);
    const answers = performTogether(wire).map((reply, rank) =>
      reply.map((message, from) => rank === 0 && from === 1 ? damage(message.slice()) : message.slice())
    );
    if (rounds[0]!.op === "start") started = answers, replies = exchanges.map(() => []);
    else replies = answers;
  }
}

for (const text of methods) {
  Deno.test(`${text}: messages that are not its own are refused, and nothing is stored, or give finite numbers`, () => {
    let refused = 0;
    const check = (damage: (message: Uint8Array) => Uint8Array) => {
      try {
        run(text, damage);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        refused++;
      }
    };
    check((message) => message.subarray(1));
    check((message) => Uint8Array.of(...message, 1));
    check((message) => message.fill(255));
    check(() => new Uint8Array(0));
    const byte = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 3 }), (flips) =>
        check((message) => {
          if (message.length > 0) { for (const [at, bits] of flips) message[at % message.length]! ^= bits; }
          return message;
        })),
      { seed: 1, numRuns: 30 },
    );
    // Sums have no messages of their own, and any bytes of its length are a message of naturalCompression.
    if (!/^(powerSgd|marina|localSgd)|shared/.test(text)) assert(refused > 0, "nothing was refused");
  });
}
