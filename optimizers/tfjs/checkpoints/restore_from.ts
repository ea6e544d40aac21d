import { noOption, show } from "../../../options.ts";
import { alone } from "../../../transport/alone.ts";
import { type Files, openFiles, pathOf } from "../../files/file_system.ts";
import { listSteps, type Manifest, rankFile } from "../../files/step_folder.ts";
import type { Group } from "../agreement/group.ts";
import { broadcastState } from "../agreement/sync_weights.ts";
import { together } from "../agreement/together.ts";
import type { DistributedOptimizer } from "../optimizer.ts";
import { requireWeights, variablesOf, type Weights } from "../variables/weights.ts";
import { prepareRestore } from "./checkpoint.ts";
import { type Checkpoint, readCheckpoint } from "./read_checkpoint.ts";
import { Damaged, findStep, type Found, type LeftOut, readFileOf } from "./read_step.ts";
import { checkGroup, requireOptimizer, requirePath } from "./require.ts";
import { noteSave } from "./save_to.ts";
import { assignWeights, checkWeights, type StoredWeight } from "./stored_weights.ts";

/** The options of {@linkcode restoreFrom}. */
export interface RestoreOptions {
  /** The connected ranks of the optimizer. */
  readonly group: Group;
  /** The optimizer. With `only: "weights"` it stays as it is and may be left out. */
  readonly optimizer?: DistributedOptimizer;
  /** The model, or the variables, as they were given to `saveTo`. */
  readonly weights: Weights;
  /**
   * "weights": only the weights are restored, on any number of ranks and with any method and optimizer. All ranks take
   * over the weights that rank 0 finds. Default: everything is restored, on as many ranks as saved it.
   */
  readonly only?: "weights";
}

/** What was restored. */
export interface Restored {
  /** The name of the step's folder. */
  readonly name: string;
  /** How many steps had been taken when it was saved. */
  readonly step: number;
  /** The position that this rank gave to `saveTo`; with `only: "weights"`, the position that rank 0 gave. */
  // deno-lint-ignore no-explicit-any -- whatever the caller gave to saveTo
  readonly position: any;
  /** When the step was saved, as text of ISO 8601. */
  readonly time: string;
  /** Newer steps, and unfinished ones, which were left out, with the reasons. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * Restores the newest step that {@linkcode saveTo} wrote into a folder and that is complete and sound on all ranks. All
 * ranks must call it. A step that is torn, damaged or missing on a rank is left out, and the one before it is restored;
 * the result says why. A step of another model, method, seed or number of ranks is refused on all ranks; nothing has
 * been changed then.
 *
 * @param folder the folder's path, or a file: URL
 * @returns what was restored; undefined if no rank has a step in the folder, so that training starts anew
 * @throws {Error} on all ranks, if one refuses, or if there are steps and none is sound on all ranks
 * @throws {TypeError} if an argument is not what it should be
 * @throws {TransportError} if a rank is lost
 *
 * @example
 * ```ts
 * import * as tf from "@tensorflow/tfjs";
 * import { alone, average, DistributedOptimizer, restoreFrom, saveTo } from "@gradwire/tfjs";
 * const folder = await Deno.makeTempDir(), group = alone(), w = tf.variable(tf.scalar(1));
 * const optimizer = new DistributedOptimizer(tf.train.sgd(0.5), { method: average(), group });
 * console.assert(await restoreFrom(folder, { group, optimizer, weights: [w] }) === undefined); // nothing is there yet
 * await saveTo(folder, { group, optimizer, weights: [w], position: { epoch: 3 } });
 * w.assign(tf.scalar(2));
 * const restored = await restoreFrom(folder, { group, optimizer, weights: [w] });
 * console.assert(restored?.position.epoch === 3 && w.dataSync()[0] === 1);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function restoreFrom(folder: string | URL, options: RestoreOptions): Promise<Restored | undefined> {
  requirePath("restore", "restoreFrom", folder);
  const doing = `restore from ${folder}`, { group, optimizer, weights } = checkGroup(doing, options);
  let files!: Files, path = "";
  const only = await together(group, doing, "options", async () => {
    const only = checkOwn(options);
    path = await pathOf(folder), files = await openFiles();
    return only;
  });
  const other = only.findIndex((what) => what !== only[0]);
  if (other >= 0) throw new Error(`Cannot ${doing}: rank 0 restores ${only[0]}, rank ${other} ${only[other]}`);
  const read = async (folder: string, manifest: Manifest, rank: number): Promise<Checkpoint> => {
    const checkpoint = readCheckpoint(await readFileOf(files, folder, manifest, rank));
    if (checkpoint.state.step === manifest.step && checkpoint.state.rank === rank) return checkpoint;
    throw new Damaged(`${rankFile(rank)} is of step ${checkpoint.state.step} and rank ${checkpoint.state.rank}`);
  };
  if (options.only === "weights") return await restoreWeights(doing, files, path, options, read);
  const { found, save } = await findStep(group, doing, files, path, async (folder, manifest) => {
    const { size, rank } = group, { length } = manifest.files;
    if (length !== size) {
      throw new Error(
        `the step was saved by ${length} ranks, here are ${size}. Restore its weights alone by only: "weights"`,
      );
    }
    const checkpoint = await read(folder, manifest, rank), given = variablesOf(weights).length;
    if (given === 0 && checkpoint.weights.length > 0) {
      throw new Error(`the step holds ${checkpoint.weights.length} weights, weights is empty`);
    }
    return prepareRestore(optimizer!, checkpoint, weights);
  });
  noteSave(optimizer!, path, { save });
  if (found === undefined) return undefined;
  found.taken();
  return restored(found.manifest, found.name, found.leftOut, group.rank);
}

/**
 * Gives all ranks the weights of rank 0's newest sound step. Its copy of the folder may hold the files of several
 * ranks: the first that is sound is read.
 */
async function restoreWeights(
  doing: string,
  files: Files,
  path: string,
  { group, optimizer, weights }: RestoreOptions,
  read: (folder: string, manifest: Manifest, rank: number) => Promise<Checkpoint>,
): Promise<Restored | undefined> {
  const variables = variablesOf(weights);
  let newest = 0;
  const models = await together(group, doing, "models", async () => {
    newest = Math.max(0, ...(await listSteps(files, path)).steps.map(({ save }) => save));
    return variables.map(({ dtype, shape }) => `${dtype}[${shape}]`);
  });
  const odd = models.findIndex((model) => String(model) !== String(models[0]));
  if (odd >= 0) throw new Error(`Cannot ${doing}: ranks 0 and ${odd} have weights of other types or shapes`);
  let found: Found<readonly StoredWeight[]> | undefined;
  const [result] = await together(group, doing, "weights", async () => {
    if (group.rank > 0) return undefined;
    // In a group of one, because the other ranks wait for what rank 0 finds.
    ({ found } = await findStep(alone(), doing, files, path, async (folder, manifest) => {
      const { weights } = await firstSound(manifest.files.map((_, rank) => () => read(folder, manifest, rank)));
      if (weights.length === 0) throw new Error("the step holds no weights");
      checkWeights(weights, variables);
      return weights;
    }));
    return found && restored(found.manifest, found.name, found.leftOut, 0);
  });
  if (optimizer) noteSave(optimizer, path, { save: newest });
  if (!result) return undefined;
  if (found) assignWeights(found.taken, variables);
  await broadcastState(weights, group);
  return result;
}

/** The checkpoint of the first reader whose file is not damaged. */
async function firstSound(readers: readonly (() => Promise<Checkpoint>)[]): Promise<Checkpoint> {
  let damage: unknown;
  for (const read of readers) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Damaged)) throw error;
      damage ??= error;
    }
  }
  throw damage;
}

function restored({ step, time, files }: Manifest, name: string, leftOut: readonly LeftOut[], rank: number): Restored {
  return { name, step, position: files[rank]!.position, time, leftOut };
}

/** Checks the options that may be wrong on one rank alone. Called where the other ranks hear of an error. */
function checkOwn({ group: _, optimizer, weights, only, ...unknown }: RestoreOptions): string {
  for (const option of Object.keys(unknown)) {
    const known = ["group", "optimizer", "weights", "only"];
    throw new TypeError(noOption(option, known));
  }
  if (only !== undefined && only !== "weights") {
    throw new TypeError(`only is ${show(only)}, expected "weights" or nothing`);
  }
  if (only === undefined || optimizer !== undefined) requireOptimizer("", optimizer);
  requireWeights("", weights);
  return only ?? "everything";
}
