/** Writing one step of all ranks into a folder. @module */

import { digest } from "../../files/digest.ts";
import { type Files, syncFolder, writeDurably } from "../../files/file_system.ts";
import {
  type Json,
  listSteps,
  MANIFEST,
  partialName,
  rankFile,
  type StepFile,
  type StepName,
  stepName,
  writeManifest,
} from "../../files/step_folder.ts";
import type { Group } from "../agreement/group.ts";
import { together } from "../agreement/together.ts";

/** What a rank has to save. */
interface StepToSave {
  /** How many steps were taken. */
  readonly step: number;
  /** This rank's file. */
  readonly file: Uint8Array;
  /** This rank's position in the data. */
  readonly position: Json;
  /** How many complete steps the folder keeps. */
  readonly keep: number;
}

/** The newest save in a folder that this run knows. No other run may have saved into the folder since. */
export interface LastSave {
  /** The number of the save, which this run has made, or has found when it restored. */
  readonly save: number;
  /** A few random digits that tell this run's saves from those of others. */
  readonly run: string;
  /** The name of the save, if this run has made it: another run may have used the same number at the same moment. */
  readonly name?: string;
}

/** What was saved. */
export interface Saved {
  /** The name of the step's folder. */
  readonly name: string;
  /** How many steps were taken. */
  readonly step: number;
  /** The names of what was removed from the folder: older steps, and what an interrupted run had left behind. */
  readonly removed: readonly string[];
  /** What should have been removed and could not be, with the reasons. */
  readonly leftBehind: readonly string[];
}

/**
 * Writes the files of all ranks into a folder of a provisional name, and gives it the name of a step only when all
 * ranks have their files on the disk. Ranks that see one another's files share the folder; the lowest of them writes
 * the manifest and renames the folder. If the machines have disks of their own, each copy of the folder has the files
 * of the ranks that share it, and all copies have the same manifest.
 *
 * @param start returns what this rank has to save and where, or throws what all ranks are told
 * @throws {Error} on all ranks if anything fails on one; the older steps stay as they are, and what was written is
 *   removed
 */
export async function writeStep(
  group: Group,
  doing: string,
  start: () => Promise<
    { readonly files: Files; readonly folder: string; readonly last: LastSave; readonly step: StepToSave }
  >,
): Promise<Saved & LastSave> {
  let begun: Awaited<ReturnType<typeof start>> | undefined;
  const facts = await together(group, doing, "begin", async () => {
    const { files, folder, last, step: { step } } = begun = await start();
    const { steps, partial } = await listSteps(files, folder);
    const unknown = steps.find(({ save, name }) =>
      save > last.save || (save === last.save && name !== (last.name ?? name))
    );
    if (unknown) {
      throw new Error(
        `the folder has ${unknown.name}, which this run has neither saved nor restored. Call restoreFrom before the ` +
          "first saveTo, and give every run (and every optimizer) a folder of its own",
      );
    }
    const time = new Date().toISOString();
    return {
      step,
      run: last.run,
      time,
      save: Math.max(last.save, ...[...steps, ...partial].map(({ save }) => save)),
    };
  });
  const { files, folder, step: { step, file, position, keep } } = begun!, { rank } = group;
  const behind = facts.findIndex((other) => other.step !== facts[0]!.step);
  if (behind >= 0) {
    throw new Error(`Cannot ${doing}: rank 0 has taken ${facts[0]!.step} steps, rank ${behind} ${facts[behind]!.step}`);
  }
  const { run, time } = facts[0]!, save = 1 + Math.max(...facts.map(({ save }) => save)), name = stepName(step, save);
  const partial = `${folder}/${partialName(step, save, run)}`, complete = `${folder}/${name}`;
  // Removes what this save has written. If that fails, a later save removes it.
  const withdraw = (path: string) => files.rm(path, { recursive: true, force: true }).catch(() => {});
  try {
    const written = await together(group, doing, "write", async (): Promise<StepFile> => {
      await files.mkdir(partial, { recursive: true });
      await writeDurably(files, `${partial}/${rankFile(rank)}`, file);
      await syncFolder(files, partial);
      return { name: rankFile(rank), bytes: file.length, digest: digest().bytes(file).hex(), position };
    });
    const seen = await together(group, doing, "look", async () => {
      const names = await files.readdir(partial);
      return written.flatMap(({ name }, rank) => names.includes(name) ? [rank] : []);
    });
    const leads = leaders(seen)[rank] === rank;
    let named = false;
    try {
      await together(group, doing, "finish", async () => {
        if (!leads) return;
        const manifest = { step, save, run, time, files: written };
        await writeDurably(files, `${partial}/${MANIFEST}`, writeManifest(manifest));
        await syncFolder(files, partial);
        await files.rename(partial, complete);
        named = true;
        await syncFolder(files, folder);
      });
    } catch (error) {
      // It has failed on another disk. A step must be on all disks or on none.
      if (named) await withdraw(complete);
      throw error;
    }
    const tidied = await together(
      group,
      doing,
      "tidy",
      () => leads ? tidy(files, folder, keep, save) : { removed: [], leftBehind: [] },
    );
    const all = (part: (result: typeof tidied[number]) => readonly string[]) => [...new Set(tidied.flatMap(part))];
    return { name, step, run, save, removed: all((t) => t.removed), leftBehind: all((t) => t.leftBehind) };
  } catch (error) {
    await withdraw(partial);
    throw error;
  }
}

/**
 * Finds for each rank the lowest rank that shares its folder.
 *
 * @param seen for each rank the ranks whose files it saw. Two ranks that share a folder see each other's files, but one
 *   of them may have looked too early
 */
export function leaders(seen: readonly (readonly number[])[]): number[] {
  const lead = seen.map((_, rank) => rank);
  for (let changed = true; changed;) {
    changed = false;
    seen.forEach((others, rank) => {
      for (const other of others) {
        const least = Math.min(lead[rank]!, lead[other]!);
        if (lead[rank] !== least || lead[other] !== least) lead[rank] = lead[other] = least, changed = true;
      }
    });
  }
  return lead;
}

/** Removes all complete steps but the newest `keep`, and what earlier saves have left unfinished. */
async function tidy(files: Files, folder: string, keep: number, save: number) {
  const removed: string[] = [], leftBehind: string[] = [];
  // The step is saved already, so what cannot be removed is reported and is no error.
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      leftBehind.push(`${what}: ${(error as Error).message}`);
    }
  };
  const remove = ({ name }: StepName, gone: string) =>
    attempt(name, async () => {
      // The folder is renamed first, to the name of an unfinished step: half of a step must never look complete.
      if (gone !== name) await files.rename(`${folder}/${name}`, `${folder}/${gone}`);
      await files.rm(`${folder}/${gone}`, { recursive: true, force: true });
      removed.push(name);
    });
  await attempt("what is older", async () => {
    const { steps, partial } = await listSteps(files, folder);
    for (const step of steps.slice(keep)) await remove(step, `.${step.name}`);
    for (const step of partial) if (step.save <= save) await remove(step, step.name);
  });
  return { removed, leftBehind };
}
