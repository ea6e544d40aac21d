/** Callbacks for `fit` and `fitDataset`. @module */

import * as tf from "../../dependencies/tfjs.ts";
import { allGather, type Exchange } from "../../transport/round.ts";
import { differentCalls, opensStep, runCall } from "./agreement/calls.ts";
import type { Group } from "./agreement/group.ts";
import { requireGroup } from "./agreement/group.ts";
import { averageState } from "./agreement/sync_weights.ts";
import type { CustomCallback, LayersModel, Logs } from "./variables/tfjs.ts";
import { requireWeights } from "./variables/weights.ts";

/**
 * A callback for `fit` and `fitDataset`. Give it alone, or in an array beside others such as
 * `tf.callbacks.earlyStopping`, or spread it into an object of your own. tfjs takes arrays of one kind only: a callback
 * that is a plain object stands beside this one as `new tf.CustomCallback({ … })`.
 */
export interface EpochEndCallback extends CustomCallback {
  /** Called by tfjs on every rank when an epoch has ended. */
  onEpochEnd(epoch: number, logs?: Logs): Promise<void>;
}

/** Makes a callback of tfjs's class. The method is a property of the object too, so that a spread copy has it. */
function epochEnd(onEpochEnd: EpochEndCallback["onEpochEnd"]): EpochEndCallback {
  return Object.assign(new tf.CustomCallback({ onEpochEnd }), { onEpochEnd });
}

/**
 * Makes a callback that replaces the losses and metrics of every epoch by their mean over ranks, in `History` and for
 * the callbacks after it. Without it each rank reports the metrics of its own share of the data. All ranks must use it.
 *
 * Messages: in each epoch one all-gather of the metrics as text.
 *
 * @returns the callback. `fit` throws an Error if another rank reports other metrics or is at another epoch, and a
 *   TransportError if a rank is lost
 * @throws {TypeError} if the group is none
 *
 * @example
 * ```ts
 * import { syncMetrics } from "@gradwire/tfjs/optimizers";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const groups = memory(2).map((transport) => collective(transport));
 * const logs = groups.map(({ rank }) => ({ loss: rank }));
 * await Promise.all(groups.map((group, rank) => syncMetrics(group).onEpochEnd(0, logs[rank])));
 * console.assert(logs.every(({ loss }) => loss === 0.5));
 * for (const group of groups) await group[Symbol.asyncDispose]();
 * // await model.fit(xs, ys, { callbacks: syncMetrics(group) });
 * ```
 */
export function syncMetrics(group: Group): EpochEndCallback {
  requireGroup("average the metrics", group);
  return epochEnd(async (epoch, logs = {}) => {
    await resolve(logs);
    Object.assign(
      logs,
      await runCall(`average the metrics of epoch ${epoch}`, meanOfLogs(epoch, logs, group.size), group),
    );
  });
}

/**
 * Makes a callback that averages a model's BatchNorm statistics over ranks after every epoch by
 * {@linkcode averageState}, with the messages and errors of that function. Put it before callbacks that validate or
 * save. All ranks must use it.
 *
 * @throws {TypeError} if the model or the group is none
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { syncState } from "@gradwire/tfjs/optimizers";
 * import { collective, memory } from "@gradwire/tfjs/transport";
 * const [group] = memory(1).map((transport) => collective(transport));
 * const model = tf.sequential({ layers: [tf.layers.batchNormalization({ inputShape: [2] })] });
 * await syncState(model, group!).onEpochEnd(0);
 * await group![Symbol.asyncDispose]();
 * ```
 */
export function syncState(model: LayersModel, group: Group): EpochEndCallback {
  requireWeights("average the state", model), requireGroup("average the state", group);
  return epochEnd(() => averageState(model, group));
}

/** tfjs takes the function itself for a callback that does nothing. This makes it throw when tfjs uses it. */
function refuseUncalled(make: (...values: never[]) => EpochEndCallback, call: string): void {
  const get = () => {
    throw new TypeError(`Cannot use ${make.name} as a callback: it is a function, expected what it returns: ${call}`);
  };
  for (const property of ["onEpochEnd", "setParams"]) Object.defineProperty(make, property, { get });
}

refuseUncalled(syncMetrics, "syncMetrics(group)");
refuseUncalled(syncState, "syncState(model, group)");

const TAG = "GWmetrics";

/** Makes the logs numbers, as tfjs's CustomCallback does. tfjs's other callbacks leave scalars in them. */
async function resolve(logs: Logs): Promise<void> {
  for (const [name, value] of Object.entries(logs as Record<string, number | tf.Scalar>)) {
    if (typeof value === "number") continue;
    logs[name] = (await value.data())[0]!;
    value.dispose();
  }
}

function* meanOfLogs(epoch: number, logs: Logs, size: number): Exchange<Logs> {
  const names = Object.keys(logs).sort();
  // Numbers travel as text, because JSON has no NaN.
  const mine = JSON.stringify([TAG, epoch, names, names.map((name) => String(logs[name]))]);
  const messages = yield* allGather(new TextEncoder().encode(mine));
  const mean: Logs = Object.fromEntries(names.map((name) => [name, 0]));
  messages.forEach((message, rank) => {
    const [tag, theirEpoch, theirNames, values] = read(message);
    if (tag !== TAG) {
      const why = opensStep(message)
        ? `rank ${rank} took more steps than you: it opens another step of this epoch`
        : differentCalls(messages) ?? `rank ${rank} sent something else`;
      throw new Error(
        `Cannot average the metrics of epoch ${epoch}: ${why}. ` +
          "All ranks must have equally many batches and use syncMetrics",
      );
    }
    if (theirEpoch !== epoch || String(theirNames) !== String(names)) {
      throw new Error(
        `Cannot average the metrics of epoch ${epoch} (${names}): rank ${rank} reports ${theirNames} of epoch ${theirEpoch}`,
      );
    }
    names.forEach((name, i) => mean[name]! += Number((values as string[])[i]) / size);
  });
  return mean;
}

function read(message: Uint8Array): unknown[] {
  try {
    const metrics: unknown = JSON.parse(new TextDecoder().decode(message.slice())); // decoders refuse shared memory
    return Array.isArray(metrics) ? metrics : [];
  } catch {
    return [];
  }
}
