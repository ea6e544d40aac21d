import { noOption, show } from "../../../options.ts";
import { saveCheckpoint } from "./checkpoint.ts";
import type { DistributedOptimizer } from "../optimizer.ts";
import { openFiles, pathOf, randomName } from "../../files/file_system.ts";
import { requireGroup } from "../agreement/group.ts";
import { requireOptimizer, requirePath } from "./require.ts";
import { requireWeights, variablesOf, type Weights } from "../variables/weights.ts";
import type { Group } from "../agreement/group.ts";
import type { Json } from "../../files/step_folder.ts";
import { type Known, type Saved, writeStep } from "./write_step.ts";

/** The options of {@linkcode saveTo}. */
export interface SaveOptions {
  /** The connected ranks, those of the optimizer. */
  readonly group: Group;
  /** The optimizer. */
  readonly optimizer: DistributedOptimizer;
  /** The model, BatchNorm's averages included, or its variables. */
  readonly weights: Weights;
  /** Where this rank is in its data, to be given back by `restoreFrom`: a small value such as `{ epoch: 3 }`. */
  readonly position?: Json;
  /** How many steps the folder keeps. Default 3. */
  readonly keep?: number;
}

/** The longest position as JSON: it is no place for data. */
const LONGEST_POSITION = 65_536;

/** What an optimizer knows of the folders that it was saved to or restored from. */
const known = new WeakMap<DistributedOptimizer, Map<string, Known>>();

/** From now on the optimizer goes on from what is in a folder. */
export function remember(
  optimizer: DistributedOptimizer,
  folder: string,
  now: Omit<Known, "run"> & { readonly run?: string },
): void {
  const folders = known.get(optimizer) ?? new Map<string, Known>();
  known.set(optimizer, folders.set(folder, { run: randomName(), ...now }));
}

/**
 * Saves all that the ranks need to go on later, into a folder with a subfolder for each step: a checkpoint a rank (see
 * {@linkcode saveCheckpoint}) and a manifest. All ranks must call it, between two steps.
 *
 * The step is written beside those that are there, and is one only when the files of all ranks are on their disks: if a
 * rank is killed at any moment, its disk is full or the folder cannot be written, the steps of before are untouched, and
 * in the latter cases all ranks throw and training can go on. Then all but the newest `keep` steps are removed.
 *
 * The ranks may share the folder or have a disk each: every copy of the folder then has the files of its own ranks. Two
 * runs cannot share a folder: one that finds a step there which it has neither saved nor restored refuses. Call
 * {@linkcode restoreFrom} before the first `saveTo`; in an empty folder it restores nothing.
 *
 * @param folder its path, or a file: URL. It is made where it is missing
 * @returns the step's name in the folder, and what was removed
 * @throws {Error} on all ranks if one cannot save; the message says which and why
 * @throws {TransportError} if a rank is lost
 *
 * @example
 * ```ts ignore
 * import * as tf from "@tensorflow/tfjs";
 * import { average, connect, DistributedOptimizer, restoreFrom, saveTo } from "@gradwire/tfjs";
 * const group = await connect(), model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
 * const optimizer = new DistributedOptimizer(tf.train.adam(), { method: average(), group });
 * const restored = await restoreFrom("checkpoints", { group, optimizer, weights: model });
 * for (let epoch = restored ? restored.position.epoch + 1 : 0; epoch < 10; epoch++) {
 *   // … train for an epoch …
 *   await saveTo("checkpoints", { group, optimizer, weights: model, position: { epoch } });
 * }
 * ```
 */
export async function saveTo(folder: string | URL, options: SaveOptions): Promise<Saved> {
  requirePath("save", "saveTo", folder);
  const doing = `save to ${folder}`, { group, optimizer } = checkGroup(doing, options);
  let path = "";
  const { run, save, ...saved } = await writeStep(group, doing, async () => {
    // Read before anything is awaited, so that all of it is of one moment.
    const step = readStep(options);
    path = await pathOf(folder);
    return {
      files: await openFiles(),
      folder: path,
      known: known.get(optimizer)?.get(path) ?? { save: 0, run: randomName() },
      step,
    };
  });
  remember(optimizer, path, { save, run, name: saved.name });
  return saved;
}

/** Everything of the options that can be wrong on one rank alone is checked where the others hear of it. */
function readStep({ optimizer, weights, position = null, keep = 3, group: _, ...unknown }: SaveOptions) {
  for (const option of Object.keys(unknown)) {
    const known = ["group", "optimizer", "weights", "position", "keep"];
    throw new TypeError(noOption(option, known));
  }
  requireOptimizer("", optimizer), requireWeights("", weights);
  const names = variablesOf(weights).map(({ name }) => name);
  // A rank that is alone may know of no layout; that of nothing at all is wrong there too.
  const lacking = optimizer.getState().layout?.names.find((name) => !names.includes(name));
  if (lacking !== undefined || names.length === 0) {
    const what = lacking === undefined ? "holds no variable" : `lacks the variable ${lacking}, which is trained`;
    throw new TypeError(`weights ${what}, expected the model or all of its variables`);
  }
  if (!(Number.isSafeInteger(keep) && keep >= 1)) {
    throw new RangeError(`keep is ${show(keep)}, expected an integer ≥ 1`);
  }
  const odd = notJson(position);
  if (odd !== undefined) throw new TypeError(`position has ${odd}, expected what JSON can hold`);
  const { length } = JSON.stringify(position);
  if (length > LONGEST_POSITION) {
    throw new RangeError(`position has ${length} characters as JSON, expected at most ${LONGEST_POSITION}`);
  }
  return { step: optimizer.iterations, file: saveCheckpoint(optimizer, weights), position, keep };
}

/** @throws {TypeError} unless there is a group: the one thing without which the other ranks cannot be told */
export function checkGroup<O extends { readonly group: Group }>(doing: string, options: O): O {
  if (typeof options !== "object" || options === null || "perform" in options) {
    const given = typeof options === "object" && options !== null ? "a group" : show(options);
    throw new TypeError(`Cannot ${doing}: the options are ${given}, expected { group, optimizer, weights }`);
  }
  requireGroup(doing, options.group);
  return options;
}

/** What of a value JSON would lose, or undefined. */
function notJson(value: unknown): string | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : String(value);
  const plain = typeof value === "object" &&
    [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value));
  if (!plain) return typeof value === "object" ? `a ${value!.constructor?.name}` : show(value);
  for (const member of Object.values(value)) {
    const odd = notJson(member);
    if (odd !== undefined) return odd;
  }
  return undefined;
}
