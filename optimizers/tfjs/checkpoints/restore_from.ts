import { noOption, show } from "../../../options.ts";
import { alone } from "../../../transport/alone.ts";
import { prepareRestore } from "./checkpoint.ts";
import type { DistributedOptimizer } from "../optimizer.ts";
import { type Files, openFiles, pathOf } from "../../files/file_system.ts";
import type { Group } from "../agreement/group.ts";
import { type Checkpoint, readCheckpoint } from "./read_checkpoint.ts";
import { Damaged, findStep, type Found, type LeftOut, readFileOf } from "./read_step.ts";
import { requireOptimizer, requirePath } from "./require.ts";
import { requireWeights, variablesOf, type Weights } from "../variables/weights.ts";
import { checkGroup, remember } from "./save_to.ts";
import { listSteps, type Manifest, rankFile } from "../../files/step_folder.ts";
import { assignWeights, checkWeights, type StoredWeight } from "./stored_weights.ts";
import { together } from "../agreement/together.ts";
import { broadcastState } from "../agreement/sync_weights.ts";

/** The options of {@linkcode restoreFrom}. */
export interface RestoreOptions {
  /** The connected ranks, those of the optimizer. */
  readonly group: Group;
  /** The optimizer. With `only: "weights"` it may be left out, and stays as it is. */
  readonly optimizer?: DistributedOptimizer;
  /** The model, or the variables, as they were given to `saveTo`. */
  readonly weights: Weights;
  /**
   * "weights": nothing but the weights, on any number of ranks and with any method and optimizer: all ranks take over those
   * that rank 0 finds. Default: everything, on as many ranks as there were.
   */
  readonly only?: "weights";
}

/** What was restored. */
export interface Restored {
  /** The name of the step's folder. */
  readonly name: string;
  /** Steps taken until it was saved. */
  readonly step: number;
  /** What this rank gave as its position (with `only: "weights"`: what rank 0 gave). */
  // deno-lint-ignore no-explicit-any -- whatever the caller's own saveTo was given
  readonly position: any;
  /** When it was saved, in ISO 8601. */
  readonly time: string;
  /** Newer steps, and unfinished ones, that were left out, and why. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * Goes on from the newest step in a folder that {@linkcode saveTo} wrote and that is complete and sound on all ranks. All
 * ranks must call it. A step that is torn, damaged or missing on a rank is left out, with the reason in the result, and
 * the one before it is taken. What does not go with this run (another model, method, seed or number of ranks) is refused
 * on all ranks; nothing has been changed then.
 *
 * @param folder its path, or a file: URL
 * @returns what was restored; undefined where no rank has a step in the folder: then training starts anew
 * @throws {Error} on all ranks if one refuses, or if there are steps and none is sound on all ranks
 * @throws {TransportError} if a rank is lost
 *
 * @example
 * ```ts ignore
 * import { restoreFrom } from "@gradwire/tfjs";
 * const restored = await restoreFrom("checkpoints", { group, optimizer, weights: model });
 * for (let epoch = restored ? restored.position.epoch + 1 : 0; epoch < 10; epoch++) {
 *   // … train for an epoch, then saveTo("checkpoints", { group, optimizer, weights: model, position: { epoch } }) …
 * }
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
  remember(optimizer!, path, { save });
  if (found === undefined) return undefined;
  found.taken();
  return restored(found.manifest, found.name, found.leftOut, group.rank);
}

/** Rank 0's newest sound step: the weights of the lowest rank whose file is there go to all ranks. */
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
    // In a group of one: the other ranks wait here for what it finds.
    ({ found } = await findStep(alone(), doing, files, path, async (folder, manifest) => {
      const { weights } = await firstSound(manifest.files.map((_, rank) => () => read(folder, manifest, rank)));
      if (weights.length === 0) throw new Error("the step holds no weights");
      checkWeights(weights, variables);
      return weights;
    }));
    return found && restored(found.manifest, found.name, found.leftOut, 0);
  });
  if (optimizer) remember(optimizer, path, { save: newest });
  if (!result) return undefined;
  if (found) assignWeights(found.taken, variables);
  await broadcastState(weights, group);
  return result;
}

/** What the first reader gives whose file is not damaged. */
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

/** Checks what may be wrong on one rank alone, where the others hear of it. */
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
