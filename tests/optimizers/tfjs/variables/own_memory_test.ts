/** Optimizers of a user's own: what they remember, in whatever form, is part of a step, and of a checkpoint or refused there. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import * as tf from "@tensorflow/tfjs";
import {
  average,
  DistributedOptimizer,
  type Method,
  type NamedTensorMap,
  restoreCheckpoint,
  saveCheckpoint,
} from "../../../../optimizers/mod.ts";
import { collective, memory } from "../../../../transport/mod.ts";

await tf.setBackend("cpu");

const timeout = 20_000; // nothing here waits for it

/** Momentum with a factor that falls, which each subclass remembers in its own way. */
abstract class Own extends tf.Optimizer {
  t = 0;
  best = Infinity;
  abstract velocity(i: number, gradient: tf.Tensor): tf.Tensor;
  applyGradients(given: NamedTensorMap) {
    this.t++;
    tf.tidy(() => {
      (given as unknown as { name: string; tensor?: tf.Tensor }[]).forEach(({ name, tensor }, i) => {
        if (!tensor) return;
        const variable = tf.engine().registeredVariables[name]!;
        variable.assign(variable.sub(this.velocity(i, tensor).mul(0.1 / this.t)));
      });
    });
    this.incrementIterations();
  }
  getConfig() {
    return {};
  }
}

const assigned = (slot: tf.Variable, gradient: tf.Tensor) => (slot.assign(slot.mul(0.9).add(gradient)), slot);
const fresh = (gradient: tf.Tensor) => tf.variable(tf.zerosLike(gradient), false);

class InEntries extends Own {
  static className = "InEntries";
  slots: { originalName: string; variable: tf.Variable }[] = [];
  velocity(i: number, gradient: tf.Tensor) {
    return assigned((this.slots[i] ??= { originalName: `${i}`, variable: fresh(gradient) }).variable, gradient);
  }
}
class InList extends Own {
  static className = "InList";
  slots: tf.Variable[] = [];
  velocity(i: number, gradient: tf.Tensor) {
    return assigned(this.slots[i] ??= fresh(gradient), gradient);
  }
}
class InMap extends Own {
  static className = "InMap";
  slots = new Map<number, { first: tf.Variable }>();
  velocity(i: number, gradient: tf.Tensor) {
    if (!this.slots.has(i)) this.slots.set(i, { first: fresh(gradient) });
    return assigned(this.slots.get(i)!.first, gradient);
  }
}
class InTensors extends Own {
  static className = "InTensors";
  slots: Record<string, tf.Tensor> = {};
  velocity(i: number, gradient: tf.Tensor) {
    const old = this.slots[i];
    this.slots[i] = tf.keep(old ? old.mul(0.9).add(gradient) : gradient.clone());
    old?.dispose();
    return this.slots[i]!;
  }
}
class InArrays extends Own {
  static className = "InArrays";
  slots: Float32Array[] = [];
  velocity(i: number, gradient: tf.Tensor) {
    const slot = this.slots[i] ??= new Float32Array(gradient.size), values = gradient.dataSync();
    values.forEach((value, j) => slot[j] = 0.9 * slot[j]! + value);
    return tf.tensor(slot.slice(), gradient.shape);
  }
}
class Inside extends Own {
  static className = "Inside";
  wrapped = new InMap();
  velocity(i: number, gradient: tf.Tensor) {
    this.wrapped.t++;
    return this.wrapped.velocity(i, gradient).div(this.wrapped.t);
  }
}
const classes = [InEntries, InList, InMap, InTensors, InArrays, Inside];

/** `average`, and once in this step a result on rank 1 that is not finite: the other ranks have applied theirs by then. */
function damaged(at: number): Method {
  const method = average();
  let left = 1;
  return {
    ...method,
    identityAlone: false,
    *reduce(gradient, state, context) {
      yield* method.reduce(gradient, state, context);
      if (context.rank === 1 && context.step === at && left-- > 0) gradient[0] = NaN;
    },
  };
}

function trainees(make: () => tf.Optimizer, damageAt = -1) {
  const method = damaged(damageAt);
  return memory(2).map((transport) => {
    const group = collective(transport, { timeout }), inner = make();
    const list = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.tensor1d([3, 4, 5]))];
    const optimizer = new DistributedOptimizer(inner, { method, group, verify: 1 });
    const loss = () => list[0]!.square().sum().add(list[1]!.square().sum()).asScalar() as tf.Scalar;
    const step = () => optimizer.minimizeAsync(loss, false, list);
    return { inner, list, optimizer, step, values: () => list.map((variable) => [...variable.dataSync()]) };
  });
}

for (const make of classes) {
  Deno.test(`an optimizer that remembers ${make.className}: a refused step changes nothing of it`, async () => {
    for (const at of [0, 2]) {
      const [calm, struck] = [trainees(() => new make()), trainees(() => new make(), at)];
      const tensors: number[] = [];
      for (let s = 0; s < 4; s++) {
        await Promise.all(calm.map(({ step }) => step()));
        if (s === at) {
          const before = tf.memory().numTensors;
          await Promise.all(struck.map(({ step }) => assertRejects(step, RangeError, `Cannot take step ${at}`)));
          assertEquals(struck.map(({ optimizer }) => optimizer.iterations), [at, at]);
          assertEquals(struck.map(({ inner }) => (inner as Own).t), [at, at]);
          tensors.push(before, tf.memory().numTensors);
        }
        await Promise.all(struck.map(({ step }) => step()));
        assertEquals(struck.map(({ values }) => values()), calm.map(({ values }) => values()));
      }
      assert(tensors[1]! <= tensors[0]!, `${tensors[1]! - tensors[0]!} tensors are left of the refused step`);
    }
  });
}

Deno.test("a checkpoint holds the numbers of an optimizer of one's own, Infinity included, and refuses what it cannot hold", async () => {
  const first = trainees(() => new InEntries());
  for (let s = 0; s < 2; s++) await Promise.all(first.map(({ step }) => step()));
  const files = first.map(({ optimizer, list }) => saveCheckpoint(optimizer, list)),
    second = trainees(() => new InEntries());
  second.forEach(({ optimizer, list }, rank) => restoreCheckpoint(optimizer, files[rank]!, list));
  assertEquals(second.map(({ inner }) => [(inner as Own).t, (inner as Own).best]), [[2, Infinity], [2, Infinity]]);
  for (let s = 0; s < 2; s++) await Promise.all([...first, ...second].map(({ step }) => step()));
  assertEquals(second.map(({ values }) => values()), first.map(({ values }) => values()));

  class More extends InEntries {
    more = 1;
  }
  const other = trainees(() => new More())[0]!;
  assertThrows(
    () => restoreCheckpoint(other.optimizer, files[0]!, other.list),
    Error,
    "its field more is absent in the checkpoint, a number here",
  );
  for (const make of [InList, InMap, InTensors, InArrays, Inside]) {
    const ranks = trainees(() => new make()), field = make === Inside ? "wrapped" : "slots";
    await Promise.all(ranks.map(({ step }) => step()));
    assertThrows(
      () => saveCheckpoint(ranks[0]!.optimizer),
      TypeError,
      `${make.className} keeps numbers in its field ${field}`,
    );
  }
});

Deno.test("a class of one's own that extends one of tfjs's is stored, and one without a name is refused", async () => {
  class Warm extends tf.MomentumOptimizer {
    static override className = "Warm";
    t = 0;
    override applyGradients(...given: Parameters<tf.MomentumOptimizer["applyGradients"]>) {
      this.t++;
      super.applyGradients(...given);
    }
  }
  const ranks = trainees(() => new Warm(0.1, 0.9));
  await Promise.all(ranks.map(({ step }) => step()));
  const file = saveCheckpoint(ranks[0]!.optimizer, ranks[0]!.list), again = trainees(() => new Warm(0.1, 0.9))[0]!;
  restoreCheckpoint(again.optimizer, file, again.list);
  assertEquals((again.inner as Warm).t, 1);

  class Nameless extends InEntries {}
  (Nameless as unknown as { className: unknown }).className = undefined;
  assertThrows(
    () => saveCheckpoint(trainees(() => new Nameless())[0]!.optimizer),
    TypeError,
    "its class Nameless has no name",
  );
  class Bare extends InEntries {}
  (Bare.prototype as unknown as { getConfig: unknown }).getConfig = undefined;
  assertThrows(() => trainees(() => new Bare()), TypeError, "has no getConfig, expected one that returns its options");
});
