import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  average,
  DistributedOptimizer,
  type DistributedOptimizerOptions,
  type Method,
  parseMethod,
  type State,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { allReduce, type Collective, collective, memory, type Transport } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

const timeout = 20_000; // nothing here waits for it

interface Rank {
  readonly group: Collective;
  readonly optimizer: DistributedOptimizer;
  /** The weights, the slots, the method's state, and what the forward pass writes. */
  state(): unknown;
  step(s: number): Promise<unknown>;
}

/** Ranks of a model with a variable that the forward pass writes to; `loss(rank, s)` is the factor of the gradient. */
function ranksOf(
  method: Method,
  options: Partial<DistributedOptimizerOptions> = {},
  {
    size = 2,
    factor = (_rank: number, _s: number): number => 1,
    length = 4,
    wrap = (transport: Transport): Transport => transport,
  } = {},
): Rank[] {
  return memory(size).map((transport) => {
    const group = collective(wrap(transport), { timeout });
    const w = tf.variable(tf.ones([length])), written = tf.variable(tf.scalar(0), false);
    const optimizer = new DistributedOptimizer(tf.train.momentum(0.1, 0.9), { method, group, seed: 3, ...options });
    const step = (s: number) =>
      optimizer.minimizeAsync(
        () => {
          written.assign(tf.scalar(s + 1));
          return w.mul(factor(group.rank, s)).square().sum().asScalar();
        },
        false,
        [w],
      );
    const state = () => {
      const { local, shared, inner } = optimizer.getState();
      return structuredClone([[...w.dataSync()], [...written.dataSync()], local, shared, inner.slots]);
    };
    return { group, optimizer, step, state };
  });
}

const stepAll = (ranks: readonly Rank[], s: number) => Promise.allSettled(ranks.map(({ step }) => step(s)));
const states = (ranks: readonly Rank[]) => ranks.map(({ state }) => state());
const close = async (ranks: readonly Rank[]) => {
  for (const { group } of ranks) await group[Symbol.asyncDispose]();
};

/** The gradient, and what `average` sends of it on two and on three ranks. */
const sent = [0.40625, 0.40625 / 2, Math.fround(0.40625 / 3)];

/** A transport whose rank's messages carry a NaN in place of each gradient, while it is told to. */
function corrupting(transport: Transport, on: { now: boolean }): Transport {
  return {
    rank: transport.rank,
    size: transport.size,
    receive: (from) => transport.receive(from),
    send: (to, message) => {
      const changed = message.slice(), view = new DataView(changed.buffer);
      for (let at = 0; on.now && at + 4 <= changed.length; at += 4) {
        if (sent.includes(view.getFloat32(at, true))) view.setUint32(at, 0x7fc00000, true);
      }
      return transport.send(to, changed);
    },
    abort: (reason) => transport.abort!(reason),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/** Sums the gradient as it is, without a look at what comes of it. */
const sum: Method = {
  name: "sum",
  options: {},
  init: ({ size }) => ({ local: {}, shared: { seen: new Float32Array(size) } }),
  *reduce(gradient, { shared }) {
    yield* allReduce(gradient);
    (shared["seen"] as Float32Array).set(gradient);
  },
};

for (const size of [2, 3]) {
  // Up to 32 KiB every rank adds up by itself, so that only those whom the NaN has reached see it; beyond, all do.
  for (const length of [4, 40_000]) {
    for (const nonFinite of ["throw", "skip"] as const) {
      for (const [name, method] of Object.entries({ sum, average: average() })) {
        Deno.test(`a NaN that comes on the way into ${name} of ${length} numbers on ${size} ranks: ${nonFinite} on all ranks in that step`, async () => {
          const on = { now: false };
          const ranks = ranksOf(method, { nonFinite }, {
            size,
            length,
            factor: () => Math.sqrt(0.203125), // the gradient at 1 is 0.40625
            wrap: (transport) => transport.rank === 1 ? corrupting(transport, on) : transport,
          });
          const w = ranks.map(({ optimizer }) => optimizer);
          on.now = true;
          const before = states(ranks).map((state) => (state as unknown[])[0]);
          const results = await stepAll(ranks, 0);
          on.now = false;
          assertEquals(
            results.map(({ status }) => status),
            results.map(() => nonFinite === "throw" ? "rejected" : "fulfilled"),
          );
          for (const result of results) {
            if (result.status !== "rejected") continue;
            assert(result.reason instanceof RangeError, String(result.reason));
            assert(
              /Cannot take step 0: .* is not finite on .*although no rank handed in what is not/.test(
                result.reason.message,
              ),
              result.reason.message,
            );
          }
          assertEquals(states(ranks).map((state) => (state as unknown[])[0]), before);
          assertEquals(states(ranks).map((state) => (state as number[][])[1]![0]), ranks.map(() => 0));
          assertEquals(w.map(({ iterations }) => iterations), ranks.map(() => nonFinite === "throw" ? 0 : 1));
          // And the ranks go on together.
          for (const { status } of await stepAll(ranks, 1)) assertEquals(status, "fulfilled");
          assertEquals(new Set(states(ranks).map((state) => String((state as unknown[])[0]))).size, 1);
          await close(ranks);
        });
      }
    }
  }
}

/** Hands in what it makes of the gradient without looking: on rank `bad` it is not finite in step 1. */
const bringing = (bad: number, value: number): Method => ({
  name: "bringing",
  options: {},
  init: ({ size }) => ({ local: { own: new Float32Array(size) }, shared: {} }),
  *reduce(gradient, { local }, { rank, step }) {
    if (step === 1 && rank === bad) gradient[0] = value;
    yield* allReduce(gradient);
    (local["own"] as Float32Array).set(gradient);
  },
});

for (const value of [NaN, Infinity]) {
  Deno.test(`a rank that hands ${value} into a sum is named by all ranks, and everything is as before`, async () => {
    for (const bad of [0, 1, 2]) {
      const ranks = ranksOf(bringing(bad, value), {}, { size: 3 });
      await stepAll(ranks, 0);
      const before = states(ranks), results = await stepAll(ranks, 1);
      for (const result of results) {
        assertEquals(result.status, "rejected");
        assertEquals(
          (result as PromiseRejectedResult).reason.message.split(". ")[0],
          `Cannot take step 1: what bringing hands into a sum on rank ${bad} is not finite`,
        );
      }
      assertEquals(states(ranks), before);
      await close(ranks);
    }
  });
}

/** Keeps a memory that one rank alone finds not finite after the last round of step 1; the result is finite. */
const forgetful: Method = {
  name: "forgetful",
  options: {},
  init: ({ size }) => ({ local: { memory: new Float32Array(size) }, shared: { count: new Float64Array(1) } }),
  *reduce(gradient, { local, shared }, { rank, step }) {
    yield* allReduce(gradient);
    shared["count"]![0] = step + 1;
    if (step === 1 && rank === 1) local["memory"]![0] = Infinity;
  },
};

for (const nonFinite of ["throw", "skip"] as const) {
  Deno.test(`a memory that is not finite on one rank alone: ${nonFinite} on all, with the state of before`, async () => {
    const ranks = ranksOf(forgetful, { nonFinite });
    await stepAll(ranks, 0);
    const before = states(ranks), results = await stepAll(ranks, 1);
    assertEquals(states(ranks), before);
    for (const result of results) {
      if (nonFinite === "skip") assertEquals(result.status, "fulfilled");
      else {
        const { message } = (result as PromiseRejectedResult).reason;
        assert(message.includes("memory, which forgetful keeps, is not finite on rank 1, although no rank"), message);
      }
    }
    await close(ranks);
  });
}

/** Asks for the gradient at another point before its only round. */
const elsewhere: Method = {
  name: "elsewhere",
  options: {},
  init: () => ({ local: {}, shared: {} }),
  *reduce(gradient, _state, { parameters }) {
    yield { op: "gradient", at: parameters!.map((value) => value + 1), into: gradient };
    yield* allReduce(gradient);
  },
};

for (const nonFinite of ["throw", "skip"] as const) {
  Deno.test(`a gradient at another point that is not finite on one rank: ${nonFinite} on all at once`, async () => {
    const ranks = memory(3).map((transport) => {
      const group = collective(transport, { timeout }), w = tf.variable(tf.zeros([2]));
      const optimizer = new DistributedOptimizer(tf.train.sgd(1), { method: elsewhere, group, nonFinite });
      // Finite at 0, not at 1, on rank 2.
      const loss = () => (group.rank === 2 ? w.mul(100).exp() : w.square()).sum().asScalar();
      return { group, w, optimizer, step: () => optimizer.minimizeAsync(loss, false, [w]) };
    });
    const results = await Promise.allSettled(ranks.map(({ step }) => step()));
    for (const result of results) {
      assertEquals(result.status, nonFinite === "throw" ? "rejected" : "fulfilled");
      if (result.status !== "rejected") continue;
      assert(result.reason.message.includes("that elsewhere asks for on rank 2 is not finite"), result.reason.message);
    }
    for (const { w, optimizer } of ranks) {
      assertEquals([...w.dataSync()], [0, 0]);
      assertEquals(optimizer.iterations, nonFinite === "throw" ? 0 : 1);
    }
    for (const { group } of ranks) await group[Symbol.asyncDispose]();
  });
}

Deno.test("a loss that throws on one rank is told to all in that step, in the first step and later, and they go on", async () => {
  for (const listed of [true, false]) {
    for (const failing of [0, 1, 2]) {
      for (const text of ["average", "errorFeedback(topK({ k: 1 }), { delay: 1 })", "powerSgd"]) {
        // minimize without a list would train the variables of all ranks, which here live in one thread.
        const groups = memory(2).map((transport) => collective(transport, { timeout }));
        const ranks = groups.map((group) => {
          const w = tf.variable(tf.ones([3]));
          const options = { method: parseMethod(text), group };
          return { group, w, optimizer: new DistributedOptimizer(tf.train.adam(0.1), options) };
        });
        for (let s = 0; s < 4; s++) {
          const before = ranks.map(({ w }) => weightsDigest([w]));
          const results = await Promise.allSettled(ranks.map(({ group, w, optimizer }) => {
            const loss = () => {
              const value = w.sub(group.rank).square().sum().asScalar();
              if (s === failing && group.rank === 1) throw new TypeError("mine");
              return value;
            };
            return listed || ranks.length > 1
              ? optimizer.minimizeAsync(loss, false, [w])
              : optimizer.minimizeAsync(loss);
          }));
          if (s !== failing) {
            for (const result of results) {
              assertEquals(result.status, "fulfilled", String((result as PromiseRejectedResult).reason));
            }
            continue;
          }
          assert(results.every(({ status }) => status === "rejected"));
          const [other, own] = results.map((result) => (result as PromiseRejectedResult).reason);
          assert(own instanceof TypeError && own.message === "mine");
          assertEquals(other.message, `Cannot take step ${s}: rank 1 failed: mine`);
          if (s > 0) assertEquals(ranks.map(({ w }) => weightsDigest([w])), before);
        }
        assertEquals(ranks.map(({ optimizer }) => optimizer.iterations), failing < 4 ? [3, 3] : [4, 4]);
        for (const { group } of ranks) await group[Symbol.asyncDispose]();
      }
    }
  }
});

/** Throws on one rank in the middle of its exchange, before the round named. */
const breaking = (before: "gather" | "sum" | "end"): Method => ({
  name: "breaking",
  options: {},
  init: () => ({ local: {}, shared: { count: new Float64Array(1) } }),
  *reduce(gradient, { shared }: State, { rank, step }) {
    const fail = (at: string) => {
      if (step === 1 && rank === 1 && at === before) throw new Error("broken");
    };
    shared["count"]![0]! += 1; // before the last round, which methods must not do
    fail("gather");
    yield { op: "allGather", message: new Uint8Array(3) };
    fail("sum");
    yield* allReduce(gradient);
    fail("end");
  },
});

for (const at of ["gather", "sum", "end"] as const) {
  Deno.test(`a method that breaks on one rank (${at}): all ranks learn it at once, with the state of before`, async () => {
    const ranks = ranksOf(breaking(at));
    await stepAll(ranks, 0);
    const before = states(ranks), results = await stepAll(ranks, 1);
    const [other, own] = results.map((result) => (result as PromiseRejectedResult).reason);
    assertEquals(states(ranks), before);
    // Where the others are in a sum, the transport refuses the two rounds together.
    if (at === "sum") assert(other.name === "TransportError" && other.rank === 1, String(other));
    else assertEquals([own.message, other.message], ["broken", "Cannot take step 1: rank 1 failed: broken"]);
    await close(ranks);
  });
}

Deno.test("a step that is skipped or refused takes back what the forward pass wrote, also alone and between exchanges", async () => {
  for (const nonFinite of ["throw", "skip"] as const) {
    for (const size of [1, 2]) {
      for (const text of ["average", "errorFeedback(topK({ k: 1 }))", "localSgd({ every: 2 })"]) {
        for (const bad of [0, 1, 2]) {
          const ranks = ranksOf(parseMethod(text), { nonFinite }, {
            size,
            factor: (rank, s) => s === bad && rank === size - 1 ? NaN : 1,
          });
          for (let s = 0; s < 4; s++) {
            const before = states(ranks);
            const results = await stepAll(ranks, s), last = ranks[size - 1]!.state() as number[][];
            assert(last[0]!.every(Number.isFinite));
            if (s === bad) assertEquals(last[1], (before[size - 1] as number[][])[1], `${text} ${size} ${bad}`);
            // In a step between exchanges the others learn of it when they meet.
            const between = text.startsWith("localSgd") && s % 2 === 0;
            if (s === bad && !between) {
              for (const { status } of results) assertEquals(status, nonFinite === "skip" ? "fulfilled" : "rejected");
            }
          }
          await close(ranks);
        }
      }
    }
  }
});

Deno.test("alone, a gradient that is not finite is refused as it is among others", async () => {
  const [rank] = ranksOf(average(), {}, { size: 1, factor: (_, s) => s === 1 ? NaN : 1 });
  await rank!.step(0);
  const before = rank!.state();
  await assertRejects(() => rank!.step(1), RangeError, "Cannot take step 1: the gradient of variable 0");
  assertEquals(rank!.state(), before);
  await rank!.step(2);
  await close([rank!]);
});
