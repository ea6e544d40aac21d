import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  DistributedOptimizer,
  parseMethod,
  restoreCheckpoint,
  saveCheckpoint,
  weightsDigest,
} from "../../../../optimizers/mod.ts";
import { type Collective, collective, memory, type Transport } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

const timeout = 20_000; // nothing here waits for it

/** Dies in the middle of sending to rank 1: what it sends to the others has gone out. */
function dying(transport: Transport, packets: number): Transport {
  let left = packets;
  return {
    rank: transport.rank,
    size: transport.size,
    receive: (from) => transport.receive(from),
    async send(to, message) {
      if (to === 1 && left-- === 0) {
        // The others are given the turns that they need to end the step with what has reached them.
        for (let turn = 0; turn < 200; turn++) await Promise.resolve();
        await transport[Symbol.asyncDispose]();
      }
      await transport.send(to, message);
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

function trainee(rank: number, method: string, inner: () => tf.Optimizer, group: Collective) {
  const kernelInitializer = tf.initializers.glorotNormal({ seed: 1 });
  const model = tf.sequential({
    layers: [
      tf.layers.batchNormalization({ inputShape: [3] }),
      tf.layers.dense({ units: 2, activation: "tanh", kernelInitializer }),
    ],
  });
  const optimizer = new DistributedOptimizer(inner(), { method: parseMethod(method), group, seed: 5, verify: 3 });
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  // The batch is that of the step, so that a step that is taken back and taken again is the same.
  const step = () => {
    const xs = tf.randomNormal([8, 3], 0, 1, "float32", 1 + rank + 10 * optimizer.iterations);
    const loss = () =>
      (model.apply(xs, { training: true }) as tf.Tensor).sub(rank).square().mean().asScalar() as tf.Scalar;
    return optimizer.minimizeAsync(loss, false, variables);
  };
  const state = () => {
    const { step, local, shared, inner } = optimizer.getState();
    return structuredClone({ step, local, shared, inner, weights: model.getWeights().map((w) => [...w.dataSync()]) });
  };
  return { model, optimizer, step, state };
}

/** The states of all ranks after each step of a training in which nobody dies. */
async function undisturbed(method: string, inner: () => tf.Optimizer, steps: number): Promise<unknown[][]> {
  const groups = memory(3).map((transport) => collective(transport, { timeout }));
  const ranks = groups.map((group) => trainee(group.rank, method, inner, group)), states: unknown[][] = [];
  for (let s = 0; s < steps; s++) {
    await Promise.all(ranks.map(({ step }) => step()));
    states.push(ranks.map(({ state }) => state()));
  }
  for (const group of groups) await group[Symbol.asyncDispose]();
  return states;
}

const adam = () => tf.train.adam(0.05), sgd = () => tf.train.sgd(0.05);
const scenes: [method: string, inner: () => tf.Optimizer, every: number][] = [
  ["average", adam, 1],
  ["errorFeedback(topK({ k: 2 }))", sgd, 1],
  ["errorFeedback(topK({ k: 2 }), { delay: 1 })", adam, 1],
  ["diana(naturalCompression)", adam, 1],
  ["doubleSqueeze(topK({ k: 2 }))", sgd, 1],
  ["oneBitAdam({ warmupSteps: 2 })", sgd, 1],
  ["localSgd({ every: 2 })", sgd, 2],
];

for (const [method, inner, every] of scenes) {
  Deno.test(`${method}: survivors of a rank that dies in the middle of a step meet again and go on with the same bits`, async () => {
    const steps = 5, expected = await undisturbed(method, inner, steps);
    let ahead = 0;
    for (let packets = 3; packets < 40; packets += 2) {
      const transports = memory(3);
      transports[2] = dying(transports[2]!, packets);
      const groups = transports.map((transport) => collective(transport, { timeout }));
      const ranks = groups.map((group) => trainee(group.rank, method, inner, group));
      const train = async (rank: number) => {
        while (ranks[rank]!.optimizer.iterations < steps) await ranks[rank]!.step();
      };
      const ended = await Promise.allSettled([0, 1, 2].map(train));
      for (const group of groups) await group[Symbol.asyncDispose]();
      if (ended.every(({ status }) => status === "fulfilled")) break; // it died after the training
      for (const { reason } of ended as PromiseRejectedResult[]) {
        if (reason) assert(reason.name === "TransportError" || reason.message === "died", String(reason));
      }
      const taken = ranks.map(({ optimizer }) => optimizer.iterations);
      if (new Set(taken).size > 1) ahead++;
      const again = memory(3).map((transport) => collective(transport, { timeout }));
      await Promise.all(ranks.map(({ optimizer }, rank) => optimizer.rejoin(again[rank]!)));
      const common = ranks.map(({ optimizer }) => optimizer.iterations);
      assertEquals(new Set(common).size, 1, `${taken} became ${common}`);
      assertEquals(common[0], every === 1 ? Math.min(...taken) : common[0]);
      if (common[0]! > 0) assertEquals(ranks.map(({ state }) => state()), expected[common[0]! - 1]!);
      for (let s = common[0]!; s < steps; s++) await Promise.all(ranks.map(({ step }) => step()));
      assertEquals(ranks.map(({ state }) => state()), expected[steps - 1]!);
      for (const group of again) await group[Symbol.asyncDispose]();
    }
    assert(ahead > 0, "no rank was ahead in any of the deaths");
  });
}

/** Its send or receive of this number fails. */
function failing(transport: Transport, at: number): Transport {
  let left = at;
  const next = () => left-- === 0 ? Promise.reject(new Error("the cable was pulled")) : Promise.resolve();
  return {
    rank: transport.rank,
    size: transport.size,
    receive: (from) => next().then(() => transport.receive(from)),
    send: (to, message) => next().then(() => transport.send(to, message)),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

for (const method of ["average", "errorFeedback(topK({ k: 2 }), { delay: 1 })"]) {
  for (const restores of [false, true]) {
    const when = restores ? "from what they restored" : "for the first time";
    Deno.test(`${method}: a connection lost while the ranks begin ${when}: they begin anew, to the same bits`, async () => {
      const steps = 4, expected = await undisturbed(method, adam, steps);
      const meet = () => memory(3).map((transport) => collective(transport, { timeout }));
      const writers = meet().map((group) => trainee(group.rank, method, adam, group));
      for (let s = 0; s < 2; s++) await Promise.all(writers.map(({ step }) => step()));
      const files = writers.map(({ optimizer, model }) => saveCheckpoint(optimizer, model));
      const begins = restores ? 2 : 0;
      for (let at = 0; at < 24; at++) {
        const transports = memory(3), victim = at % 3;
        transports[victim] = failing(transports[victim]!, at);
        const groups = transports.map((transport) => collective(transport, { timeout }));
        const ranks = groups.map((group) => trainee(group.rank, method, adam, group));
        if (restores) ranks.forEach(({ optimizer, model }, i) => restoreCheckpoint(optimizer, files[i]!, model));
        const ended = await Promise.allSettled(ranks.map(({ step }) => step()));
        assert(at > 4 || ended.every(({ status }) => status === "rejected"), `operation ${at}`);
        for (const group of groups) await group[Symbol.asyncDispose]();
        const again = meet();
        await Promise.all(ranks.map(({ optimizer }, rank) => optimizer.rejoin(again[rank]!)));
        const [{ optimizer }] = ranks as [typeof ranks[0]];
        assert(optimizer.iterations >= begins, `step ${optimizer.iterations} after operation ${at}`);
        while (optimizer.iterations < steps) await Promise.all(ranks.map(({ step }) => step()));
        assertEquals(ranks.map(({ state }) => state()), expected[steps - 1]!);
        for (const group of again) await group[Symbol.asyncDispose]();
      }
    });
  }
}

Deno.test("what was restored and belongs to a rank's place is not taken to another place", async () => {
  const method = "errorFeedback(topK({ k: 2 }))", groups = pair();
  const writers = groups.map((group) => trainee(group.rank, method, adam, group));
  await Promise.all(writers.map(({ step }) => step()));
  const readers = pair().map((group) => trainee(group.rank, method, adam, group));
  readers.forEach(({ optimizer, model }, rank) => {
    restoreCheckpoint(optimizer, saveCheckpoint(writers[rank]!.optimizer, writers[rank]!.model), model);
  });
  const again = pair();
  await Promise.all(
    readers.toReversed().map(({ optimizer }, rank) =>
      assertRejects(() => optimizer.rejoin(again[rank]!), Error, "Cannot rejoin: rank 0 of 2 was rank 1 of 2")
    ),
  );
});

const pair = () => memory(2).map((transport) => collective(transport, { timeout }));

Deno.test("ranks more than one step apart are refused on all ranks by name, and nothing is changed", async () => {
  const groups = pair(), ranks = groups.map((group) => trainee(group.rank, "average", sgd, group));
  for (let s = 0; s < 3; s++) await Promise.all(ranks.map(({ step }) => step()));
  await ranks[1]!.optimizer.setWeights([{ name: "iter", tensor: tf.scalar(1, "int32") }]);
  const before = ranks.map(({ model }) => weightsDigest(model)), again = pair();
  await Promise.all(
    ranks.map(({ optimizer }, rank) =>
      assertRejects(
        () => optimizer.rejoin(again[rank]!),
        Error,
        "rank 0 has taken 3 steps and rank 1 1, which is more than one apart",
      )
    ),
  );
  assertEquals(ranks.map(({ model }) => weightsDigest(model)), before);
});

Deno.test("another size is taken where the method keeps nothing on a rank, and refused on all ranks where it does", async () => {
  for (
    const [method, fits] of [["average", true], ["localSgd({ every: 2 })", true], [
      "errorFeedback(topK({ k: 1 }))",
      false,
    ]] as const
  ) {
    const groups = memory(3).map((transport) => collective(transport, { timeout }));
    const ranks = groups.map((group) => trainee(group.rank, method, adam, group));
    for (let s = 0; s < 4; s++) await Promise.all(ranks.map(({ step }) => step()));
    const survivors = [ranks[0]!, ranks[2]!], again = pair();
    const met = await Promise.allSettled(survivors.map(({ optimizer }, rank) => optimizer.rejoin(again[rank]!)));
    for (const result of met) {
      if (fits) assertEquals(result.status, "fulfilled");
      else {
        const { message } = (result as PromiseRejectedResult).reason;
        assert(
          message.startsWith("Cannot rejoin: rank 0 of 2 was rank 0 of 3, and the method keeps a memory"),
          message,
        );
      }
    }
    if (!fits) continue;
    for (let s = 0; s < 4; s++) await Promise.all(survivors.map(({ step }) => step()));
    const weights = survivors.map(({ model }) =>
      weightsDigest(model.trainableWeights.map((w) => w.read() as tf.Variable))
    );
    assertEquals(weights[0], weights[1]);
    assertEquals(survivors.map(({ optimizer }) => optimizer.getState().size), [2, 2]);
  }
});

Deno.test("what differs among those that meet is refused by name: method, seed, weights, no group", async () => {
  const make = (method = "average") => pair().map((group) => trainee(group.rank, method, sgd, group));
  const [one, other] = [make(), make("none")];
  await Promise.all([...one, ...other].map(({ step }) => step()));
  let again = pair();
  await Promise.all(
    [one[0]!, other[1]!].map(({ optimizer }, rank) =>
      assertRejects(() => optimizer.rejoin(again[rank]!), Error, "Cannot rejoin: method.name differs")
    ),
  );
  again = pair();
  (one[1]!.model.trainableWeights[0]!.read() as tf.Variable).assign(tf.ones([3]));
  await Promise.all(
    one.map(({ optimizer }, rank) =>
      assertRejects(() => optimizer.rejoin(again[rank]!), Error, "Cannot rejoin: variable 0 (")
    ),
  );
  await assertRejects(
    () => one[0]!.optimizer.rejoin(undefined as never),
    TypeError,
    "Cannot rejoin: group is undefined",
  );
});
