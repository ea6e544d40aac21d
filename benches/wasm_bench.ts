/**
 * The digits step, 784-128-10 with Adam in plain `model.fit`, on the wasm backend as tfjs ships it and with
 * `@gradwire/tfjs/wasm`: milliseconds, their ratio, and how far the weights of the two are apart afterwards. Then four
 * ranks at once on the machine's cores, each training alone.
 *
 * `deno run --allow-read benches/wasm_bench.ts`
 *
 * @module
 */

import { loadDigits, normalize } from "../examples/digits/mnist.ts";
import type { Result, Task } from "./wasm_trainer.ts";

/** A thread that trains on request; `ours` says whether it imports this package's kernels. */
class Trainer {
  #worker = new Worker(new URL("./wasm_trainer.ts", import.meta.url), { type: "module" });
  readonly ready: Promise<unknown>;
  constructor(ours: boolean) {
    this.ready = this.#ask({ ours });
  }
  /** Trains a new network of fixed initial weights for one epoch. */
  train(task: Task): Promise<Result> {
    return this.#ask(task) as Promise<Result>;
  }
  #ask(message: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => resolve(data);
      this.#worker.onerror = reject;
      this.#worker.postMessage(message);
    });
  }
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

await main();

async function main(): Promise<void> {
  const quick = Deno.args.includes("--quick");
  const { train } = await loadDigits({ train: 16_384, test: 0 });
  const images = normalize(train.images), labels = Float32Array.from(train.labels);
  const first = (steps: number, batch: number): Task => ({
    images: images.subarray(0, steps * batch * 784).slice(),
    labels: labels.subarray(0, steps * batch).slice(),
    batch,
  });

  {
    using stock = new Trainer(false);
    using ours = new Trainer(true);
    await Promise.all([stock.ready, ours.ready]);
    console.log("batch   stock ms/step   ours ms/step   ratio   ours images/s   weights differ by");
    for (const batch of quick ? [64] : [64, 128, 256]) {
      const steps = 60;
      // One run to warm up; then in turns, so that both meet the same load, and the best of each.
      const times = { stock: Infinity, ours: Infinity };
      let apart = 0;
      for (let round = 0; round < (quick ? 3 : 6); round++) {
        const a = await stock.train(first(steps, batch)), b = await ours.train(first(steps, batch));
        times.stock = Math.min(times.stock, tenth(a.milliseconds));
        times.ours = Math.min(times.ours, tenth(b.milliseconds));
        apart = Math.max(apart, distance(a.weights, b.weights));
        if (!(Math.abs(a.loss - b.loss) < 1e-3)) throw new Error(`The losses differ: ${a.loss} and ${b.loss}`);
        if (!(apart < 1e-2)) throw new Error(`The weights differ by ${apart} of their norm`);
      }
      console.log(
        [
          String(batch).padStart(5),
          times.stock.toFixed(2).padStart(15),
          times.ours.toFixed(2).padStart(14),
          (times.stock / times.ours).toFixed(1).padStart(7),
          (1000 * batch / times.ours).toFixed(0).padStart(15),
          apart.toExponential(1).padStart(19),
        ].join(" "),
      );
    }
  }

  const ranks = 4, batch = 64, steps = quick ? 60 : 250;
  for (const ours of quick ? [true] : [false, true]) {
    using stack = new DisposableStack();
    const trainers = Array.from({ length: ranks }, () => stack.use(new Trainer(ours)));
    await Promise.all(trainers.map((trainer) => trainer.ready));
    await Promise.all(trainers.map((trainer) => trainer.train(first(20, batch))));
    const begin = performance.now();
    await Promise.all(trainers.map((trainer) => trainer.train(first(steps, batch))));
    const rate = 1000 * ranks * batch * steps / (performance.now() - begin);
    console.log(
      `${ranks} ranks on ${navigator.hardwareConcurrency} cores, ${ours ? "ours " : "stock"}: ${rate.toFixed(0)} ` +
        `images/s, five epochs of 60 000 in ${(300_000 / rate).toFixed(1)} s`,
    );
  }
}

/** The time that a tenth of the steps stay below: what a step takes while nothing else runs. */
function tenth(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 10)]!;
}

/** The root of the squared differences, relative to the norm. */
function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let apart = 0, norm = 0;
  a.forEach((values, i) => {
    values.forEach((value, j) => {
      apart += (value - b[i]![j]!) ** 2;
      norm += value ** 2;
    });
  });
  return Math.sqrt(apart / norm);
}
