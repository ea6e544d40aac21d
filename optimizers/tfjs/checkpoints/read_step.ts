/** Finding the newest step in a folder that is complete and sound on all ranks. @module */

import { bytesOf } from "../../../bytes.ts";
import { digest } from "../../files/digest.ts";
import { type Files, isLost } from "../../files/file_system.ts";
import { listSteps, MANIFEST, type Manifest, readManifest } from "../../files/step_folder.ts";
import type { Group } from "../agreement/group.ts";
import { together } from "../agreement/together.ts";

/** A saved step that was not restored, and why. */
export interface LeftOut {
  /** The name of the step's folder. */
  readonly name: string;
  /** Why it was left out, and on which ranks. */
  readonly why: string;
}

/** The step that was found. */
export interface Found<T> {
  /** The name of the step's folder. */
  readonly name: string;
  /** The step's manifest. */
  readonly manifest: Manifest;
  /** What `take` returned on this rank. */
  readonly taken: T;
  /** Newer steps, and unfinished ones, which were left out. */
  readonly leftOut: readonly LeftOut[];
}

/** What one rank sees of one step. */
interface Seen {
  readonly name: string;
  readonly save: number;
  /** The digest of the step's manifest, which must be equal on all ranks. */
  readonly digest?: string;
  readonly why?: string;
}

/**
 * Goes from the newest step to the oldest, until one is found of which all ranks have a sound file.
 *
 * @param take reads this rank's file, given the folder of a step and its manifest. It throws a `Damaged` error to fall
 *   back to the step before, and another error if the step must not be restored here
 * @returns the step, or undefined if no rank has any; and the number of the newest save that any rank has seen
 * @throws {Error} on all ranks if there are steps and none is sound, or if `take` throws an error that is not `Damaged`
 */
export async function findStep<T>(
  group: Group,
  doing: string,
  files: Files,
  folder: string,
  take: (folder: string, manifest: Manifest) => Promise<T>,
): Promise<{ readonly found: Found<T> | undefined; readonly save: number }> {
  const manifests = new Map<string, Manifest>();
  const listings = await together(group, doing, "list", async () => {
    const { steps, partial } = await listSteps(files, folder), seen: Seen[] = [];
    for (const { name, save } of steps) {
      try {
        const bytes = await files.readFile(`${folder}/${name}/${MANIFEST}`);
        manifests.set(name, readManifest(bytes));
        seen.push({ name, save, digest: digest().bytes(bytes).hex() });
      } catch (error) {
        if (!(error instanceof RangeError || isLost(error))) throw error;
        seen.push({ name, save, why: (error as Error).message });
      }
    }
    return { seen, partial: partial.map(({ name, save }) => ({ name, save })) };
  });
  const all = listings.flatMap(({ seen }) => seen), unfinished = listings.flatMap(({ partial }) => partial);
  const save = Math.max(0, ...[...all, ...unfinished].map(({ save }) => save));
  const leftOut: LeftOut[] = [...new Set(unfinished.map(({ name }) => name))]
    .map((name) => ({ name, why: "it was not finished" }));
  const names = [...new Map(all.map(({ name, save }) => [name, save]))]
    .sort(([a, i], [b, j]) => j - i || (a < b ? 1 : -1)).map(([name]) => name);
  for (const name of names) {
    const copies = listings.map(({ seen }) => seen.find((step) => step.name === name));
    const why = copies.flatMap((copy, rank) =>
      copy === undefined
        ? [`rank ${rank} does not have it`]
        : copy.why !== undefined
        ? [`rank ${rank}: ${copy.why}`]
        : []
    );
    if (why.length === 0 && copies.some((copy) => copy!.digest !== copies[0]!.digest)) {
      why.push("the ranks have different manifests of it");
    }
    if (why.length === 0) {
      let taken: T | undefined;
      const verdicts = await together(group, doing, name, async () => {
        try {
          taken = await take(`${folder}/${name}`, manifests.get(name)!);
          return "";
        } catch (error) {
          if (error instanceof Damaged) return error.message;
          throw error;
        }
      });
      why.push(...verdicts.flatMap((verdict, rank) => verdict === "" ? [] : [`rank ${rank}: ${verdict}`]));
      if (why.length === 0) {
        return { found: { name, manifest: manifests.get(name)!, taken: taken!, leftOut }, save };
      }
    }
    leftOut.push({ name, why: why.join("; ") });
  }
  if (names.length === 0) return { found: undefined, save };
  const list = leftOut.map(({ name, why }) => `${name}: ${why}`).join("; ");
  throw new Error(`Cannot ${doing}: no step in it is complete and sound on all ranks (${list})`);
}

/** The error of a damaged step: the step before it may be sound. */
export class Damaged extends Error {
  /** "Damaged". */
  override readonly name: string = "Damaged";
}

/**
 * Reads a rank's file of a step.
 *
 * @throws {Damaged} if the file is missing, or its length or digest is not what the manifest says
 */
export async function readFileOf(files: Files, folder: string, manifest: Manifest, rank: number): Promise<Uint8Array> {
  const { name, bytes: length, digest: stated } = manifest.files[rank]!;
  let bytes: Uint8Array;
  try {
    // A plain view of the Buffer, some of whose methods differ from those of Uint8Array.
    bytes = bytesOf(await files.readFile(`${folder}/${name}`));
  } catch (cause) {
    if (!isLost(cause)) throw cause;
    throw new Damaged(`${name} cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (bytes.length !== length) throw new Damaged(`${name} has ${bytes.length} bytes, expected ${length}`);
  if (digest().bytes(bytes).hex() !== stated) throw new Damaged(`${name} is damaged: its digest is another`);
  return bytes;
}
