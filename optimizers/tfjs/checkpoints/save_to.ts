import { noOption, show } from "../../../options.ts";
import { openFiles, pathOf, randomName } from "../../files/file_system.ts";
import type { Json } from "../../files/step_folder.ts";
import type { Group } from "../agreement/group.ts";
import type { DistributedOptimizer } from "../optimizer.ts";
import { requireWeights, variablesOf, type Weights } from "../variables/weights.ts";
import { saveCheckpoint } from "./checkpoint.ts";
import { checkGroup, requireOptimizer, requirePath } from "./require.ts";
import { type LastSave, type Saved, writeStep } from "./write_step.ts";

/** The options of {@linkcode saveTo}. */
export interface SaveOptions {
  /** The connected ranks of the optimizer. */
  readonly group: Group;
  /** The optimizer. */
  readonly optimizer: DistributedOptimizer;
  /** The model, BatchNorm's averages included, or its variables. */
  readonly weights: Weights;
  /** Where this rank is in its data, for `restoreFrom` to give back: a small value such as `{ epoch: 3 }`. */
  readonly position?: Json;
  /** How many steps the folder keeps, at least 1. Default 3. */
  readonly keep?: number;
}

/** The most characters of a position as JSON. A position is no place for data. */
const LONGEST_POSITION = 65_536;

/** For each optimizer and folder, the newest save in the folder that the optimizer was saved to or restored from. */
const lastSaves = new WeakMap<DistributedOptimizer, Map<string, LastSave>>();

/** Notes that an optimizer goes on from a save in a folder. */
export function noteSave(
  optimizer: DistributedOptimizer,
  folder: string,
  last: Omit<LastSave, "run"> & { readonly run?: string },
): void {
  const folders = lastSaves.get(optimizer) ?? new Map<string, LastSave>();
  lastSaves.set(optimizer, folders.set(folder, { run: randomName(), ...last }));
}

/**
 * Saves all that the ranks need to go on later into a folder, with a subfolder for each step. The subfolder holds a
 * checkpoint of each rank (see {@linkcode saveCheckpoint}) and a manifest. All ranks must call it, between the same two
 * steps.
 *
 * The step is written beside the older ones, and is complete only when the files of all ranks are on their disks. If a
 * rank is killed at any moment, its disk is full or the folder cannot be written, the older steps stay as they are;
 * unless the rank was killed, all ranks throw and training can go on. Then all but the newest `keep` steps are removed.
 *
 * The ranks may share the folder or have a disk each; every copy of the folder then holds the files of the ranks that
 * share it. Two runs cannot share a folder: a run that finds a step in it which it has neither saved nor restored
 * refuses to save. Call {@linkcode restoreFrom} before the first `saveTo`; in an empty folder it restores nothing.
 *
 * @param folder the folder's path, or a file: URL. The folder is made if it is missing
 * @returns the name of the step in the folder, and what was removed
 * @throws {Error} on all ranks, if one cannot save; the message says which one and why
 * @throws {TypeError} if an argument is not what it should be
 * @throws {TransportError} if a rank is lost
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { average, connect, DistributedOptimizer, restoreFrom, saveTo } from "@gradwire/tfjs";
 * const folder = await Deno.makeTempDir();
 * using group = await connect();
 * const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] });
 * const optimizer = new DistributedOptimizer(tf.train.adam(), { method: average(), group });
 * const restored = await restoreFrom(folder, { group, optimizer, weights: model });
 * for (let epoch = restored ? restored.position.epoch + 1 : 0; epoch < 10; epoch++) {
 *   // Train for an epoch here.
 *   const { removed } = await saveTo(folder, { group, optimizer, weights: model, position: { epoch } });
 *   console.assert(removed.length === (epoch < 3 ? 0 : 1)); // three steps are kept
 * }
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function saveTo(folder: string | URL, options: SaveOptions): Promise<Saved> {
  requirePath("save", "saveTo", folder);
  const doing = `save to ${folder}`, { group, optimizer } = checkGroup(doing, options);
  let path = "";
  const { run, save, ...saved } = await writeStep(group, doing, async () => {
    // Read before anything is awaited, so that all of it belongs to one moment.
    const step = readStep(options);
    path = await pathOf(folder);
    return {
      files: await openFiles(),
      folder: path,
      last: lastSaves.get(optimizer)?.get(path) ?? { save: 0, run: randomName() },
      step,
    };
  });
  noteSave(optimizer, path, { save, run, name: saved.name });
  return saved;
}

/** Checks what may be wrong on one rank alone, where the others hear of an error, and reads the step. */
function readStep({ optimizer, weights, position = null, keep = 3, group: _, ...unknown }: SaveOptions) {
  for (const option of Object.keys(unknown)) {
    const known = ["group", "optimizer", "weights", "position", "keep"];
    throw new TypeError(noOption(option, known));
  }
  requireOptimizer("", optimizer), requireWeights("", weights);
  const names = variablesOf(weights).map(({ name }) => name);
  // A rank that is alone may know no layout. An empty list of weights is wrong there too.
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

/** The part of a value that JSON would lose, or undefined. */
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
