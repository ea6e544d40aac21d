/** Inner optimizers that remember in every way that a class of a user may. @module */

import * as tf from "@tensorflow/tfjs";
import { average, DistributedOptimizer, type Method, type NamedTensorMap } from "../../../../optimizers/mod.ts";
import { collective, memory } from "../../../../transport/mod.ts";

const timeout = 20_000; // nothing here waits for it

/** Momentum with a factor that falls, which each subclass remembers in its own way. */
export abstract class Own extends tf.Optimizer {
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

export class InEntries extends Own {
  static className = "InEntries";
  slots: { originalName: string; variable: tf.Variable }[] = [];
  velocity(i: number, gradient: tf.Tensor) {
    return assigned((this.slots[i] ??= { originalName: `${i}`, variable: fresh(gradient) }).variable, gradient);
  }
}

export class InList extends Own {
  static className = "InList";
  slots: tf.Variable[] = [];
  velocity(i: number, gradient: tf.Tensor) {
    return assigned(this.slots[i] ??= fresh(gradient), gradient);
  }
}

export class InMap extends Own {
  static className = "InMap";
  slots = new Map<number, { first: tf.Variable }>();
  velocity(i: number, gradient: tf.Tensor) {
    if (!this.slots.has(i)) this.slots.set(i, { first: fresh(gradient) });
    return assigned(this.slots.get(i)!.first, gradient);
  }
}

export class InTensors extends Own {
  static className = "InTensors";
  slots: Record<string, tf.Tensor> = {};
  velocity(i: number, gradient: tf.Tensor) {
    const old = this.slots[i];
    this.slots[i] = tf.keep(old ? old.mul(0.9).add(gradient) : gradient.clone());
    old?.dispose();
    return this.slots[i]!;
  }
}

export class InArrays extends Own {
  static className = "InArrays";
  slots: Float32Array[] = [];
  velocity(i: number, gradient: tf.Tensor) {
    const slot = this.slots[i] ??= new Float32Array(gradient.size), values = gradient.dataSync();
    values.forEach((value, j) => slot[j] = 0.9 * slot[j]! + value);
    return tf.tensor(slot.slice(), gradient.shape);
  }
}

export class Inside extends Own {
  static className = "Inside";
  wrapped = new InMap();
  velocity(i: number, gradient: tf.Tensor) {
    this.wrapped.t++;
    return this.wrapped.velocity(i, gradient).div(this.wrapped.t);
  }
}

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

export function trainees(make: () => tf.Optimizer, damageAt = -1) {
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
