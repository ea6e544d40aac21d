/** Copies of the project in which wrong changes are made. @module */

import { dirname } from "@std/path/dirname.js";
import type { Mutant } from "../mutant.ts";

/** A copy of the project's files in a temporary folder, deleted when it is disposed of. */
export interface Tree extends AsyncDisposable {
  /** The folder's path. */
  readonly path: string;
  /** Makes the changes, at most one in each file, runs `body`, and puts the files back as they were. */
  changed<T>(mutants: readonly Mutant[], body: () => Promise<T>): Promise<T>;
}

/** The project's files as they are now, from its root: those that git tracks or would add. */
export async function filesOf(root: string): Promise<string[]> {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { success, stdout, stderr } = await new Deno.Command("git", { args, cwd: root }).output();
  if (!success) throw new Error(`Cannot list the files of ${root}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout).split("\0").filter((file) => file !== "");
}

/** Copies the files, which are named from `root`. */
export async function copyTree(root: string, files: readonly string[]): Promise<Tree> {
  const path = await Deno.makeTempDir({ prefix: "mutants-" });
  const remove = () => Deno.remove(path, { recursive: true }).finally(() => present.delete(path));
  present.add(path);
  try {
    for (const file of files) {
      await Deno.mkdir(dirname(`${path}/${file}`), { recursive: true });
      await Deno.copyFile(`${root}/${file}`, `${path}/${file}`).catch((error) => {
        // git lists a file that was deleted without its knowledge.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    path,
    async changed(mutants, body) {
      const before: [file: string, text: string][] = [];
      try {
        for (const { file, find, replace } of mutants) {
          const text = await Deno.readTextFile(`${path}/${file}`);
          before.push([file, text]);
          await Deno.writeTextFile(`${path}/${file}`, text.replace(find, () => replace));
        }
        return await body();
      } finally {
        for (const [file, text] of before) await Deno.writeTextFile(`${path}/${file}`, text);
      }
    },
    [Symbol.asyncDispose]: remove,
  };
}

const present = new Set<string>();

/** Deletes the copies that are still there, for a runner that is itself ended. */
export function removeTrees(): void {
  for (const path of present) Deno.removeSync(path, { recursive: true });
}
