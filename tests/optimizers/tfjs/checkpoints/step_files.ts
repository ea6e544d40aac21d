/** Ranks that save bytes into folders, without an optimizer; and disks that fail. */

import { bits, fold, key } from "../../../../random.ts";
import { type Files, openFiles } from "../../../../optimizers/files/file_system.ts";
import { findStep, readFileOf } from "../../../../optimizers/tfjs/checkpoints/read_step.ts";
import { type LastSave, type Saved, writeStep } from "../../../../optimizers/tfjs/checkpoints/write_step.ts";
import { type Collective, collective, memory } from "../../../../transport/mod.ts";

/** The file system itself. */
export const disk: Files = await openFiles();

/** What a rank saves at a step: a length and bytes that follow from both. */
export function contents(step: number, rank: number): Uint8Array {
  const words = bits(fold(key(step), rank), new Uint32Array(300));
  return new Uint8Array(words.buffer, 0, 1000 + 100 * rank + (step % 7));
}

/** The ranks of a group in this thread. */
export const ranks = (size: number): Collective[] => memory(size).map((transport) => collective(transport));

/** All ranks save a step. What they know of their folders is updated. */
export async function save(
  groups: readonly Collective[],
  step: number,
  folders: readonly string[],
  last: LastSave[],
  { files = groups.map(() => disk), keep = 3 }: { readonly files?: readonly Files[]; readonly keep?: number } = {},
): Promise<Saved[]> {
  const results = await Promise.allSettled(groups.map(async (group, rank) => {
    const saved = await writeStep(group, "save", () =>
      Promise.resolve({
        files: files[rank]!,
        folder: folders[rank]!,
        last: last[rank]!,
        step: { step, file: contents(step, rank), position: { step, rank }, keep },
      }));
    last[rank] = saved;
    return saved;
  }));
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/** The step that all ranks find, after each has compared its bytes with what was saved; 0 if there is none. */
export async function find(
  groups: readonly Collective[],
  folders: readonly string[],
): Promise<{ readonly step: number; readonly save: number; readonly leftOut: readonly string[] }> {
  const [first, ...others] = await Promise.all(groups.map(async (group, rank) => {
    const { found, save } = await findStep(group, "restore", disk, folders[rank]!, async (folder, manifest) => {
      const bytes = await readFileOf(disk, folder, manifest, rank), expected = contents(manifest.step, rank);
      if (String(bytes) !== String(expected)) throw new Error(`step ${manifest.step} has other bytes`);
      const { position } = manifest.files[rank]!;
      if (JSON.stringify(position) !== JSON.stringify({ step: manifest.step, rank })) {
        throw new Error("another position");
      }
    });
    return {
      step: found?.manifest.step ?? 0,
      save,
      leftOut: found?.leftOut.map(({ name, why }) => `${name}: ${why}`) ?? [],
    };
  }));
  if (others.some((other) => JSON.stringify(other) !== JSON.stringify(first))) throw new Error("ranks differ");
  return first!;
}

/** A disk of which `before` is told each operation, and may throw. */
export function watched(before: (operation: string) => void | Promise<void>, files: Files = disk): Files {
  const step = async <T>(operation: string, work: () => Promise<T>): Promise<T> => {
    await before(operation);
    return await work();
  };
  return {
    open: (path, flags) =>
      step(`open ${path}`, async () => {
        const file = await files.open(path, flags);
        return {
          // A kill may come in the middle of a file.
          writeFile: async (bytes) => {
            try {
              await before(`write ${path}`);
            } catch (error) {
              await file.writeFile(bytes.subarray(0, bytes.length >>> 1));
              throw error;
            }
            await file.writeFile(bytes);
          },
          sync: () => step(`sync ${path}`, () => file.sync()),
          close: () => file.close(),
        };
      }),
    readFile: (path) => step(`read ${path}`, () => files.readFile(path)),
    readdir: (path) => step(`list ${path}`, () => files.readdir(path)),
    mkdir: (path, options) => step(`mkdir ${path}`, () => files.mkdir(path, options)),
    rename: (from, to) => step(`rename ${from}`, () => files.rename(from, to)),
    rm: (path, options) => step(`rm ${path}`, () => files.rm(path, options)),
  };
}
