/** Folders for steps, which the ranks share or not. @module */

import { disk } from "./step_files.ts";

export const unknown = (size = 2) => Array.from({ length: size }, () => ({ save: 0, run: "0a" }));

/** A folder that all ranks share, and one for each. */
export async function withFolders(body: (folders: string[], shared: boolean) => Promise<void>): Promise<void> {
  for (const shared of [true, false]) {
    const root = await Deno.makeTempDir();
    try {
      await body(shared ? [`${root}/a b#c`, `${root}/a b#c`] : [`${root}/0`, `${root}/1`], shared);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  }
}

export const list = async (folder: string) => (await disk.readdir(folder)).sort();
