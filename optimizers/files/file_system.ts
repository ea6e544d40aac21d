/** The file system as Deno and Node have it. @module */

import { show } from "../../options.ts";

/** A file that is open. */
export interface OpenFile {
  /** Writes all bytes. */
  writeFile(bytes: Uint8Array): Promise<void>;
  /** Ends when what was written is on the disk. */
  sync(): Promise<void>;
  /** Closes it. */
  close(): Promise<void>;
}

/** The operations on files that saving and restoring need, as `node:fs/promises` has them. */
export interface Files {
  /** Opens a file (or, to read, a folder). */
  open(path: string, flags: "w" | "r"): Promise<OpenFile>;
  /** All bytes of a file. */
  readFile(path: string): Promise<Uint8Array>;
  /** The names of what is in a folder. */
  readdir(path: string): Promise<string[]>;
  /** Makes a folder and those above it, where they are missing. */
  mkdir(path: string, options: { readonly recursive: true }): Promise<unknown>;
  /** Gives a file or folder another name, at once. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or folder and all in it, if it is there. */
  rm(path: string, options: { readonly recursive: true; readonly force: true }): Promise<void>;
}

/**
 * The file system of Deno or Node. It is imported only now, and by a name that bundlers do not follow, so that pages can
 * import this library.
 *
 * @throws {Error} in a page, which has none; without saying what cannot be done, which the caller adds
 */
export async function openFiles(): Promise<Files> {
  const name = "node:fs/promises";
  try {
    return await import(name) as Files;
  } catch (cause) {
    throw new Error(
      "there are no files here, expected Deno or Node. In a page keep what saveCheckpoint returns, or use tfjs's own " +
        "indexeddb:// for models",
      { cause },
    );
  }
}

/** A path as a text: that of a file: URL too, without slashes at its end. */
export async function pathOf(path: string | URL): Promise<string> {
  if (path instanceof URL) {
    const name = "node:url";
    path = (await import(name) as { fileURLToPath(url: URL): string }).fileURLToPath(path);
  }
  if (typeof path !== "string" || path === "") {
    throw new TypeError(`the path is ${show(path)}, expected a text or a file: URL`);
  }
  if (/^[a-z]{2,}:\/\//i.test(path)) {
    throw new TypeError(`the path is ${show(path)}, expected one of a file system, or a URL: new URL(${show(path)})`);
  }
  return path.replace(/(?<=.)\/+$/, "");
}

/** Writes a file and ends when it is on the disk. Its name is on the disk only once its folder is, see `syncFolder`. */
export async function writeDurably(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const file = await files.open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Gives a file in a folder other bytes at once: whoever reads it, and whoever comes after an interruption, finds those of
 * before or the new ones.
 */
export async function replaceFile(files: Files, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const beside = `${folder}/.${name}-${randomName()}`;
  try {
    await writeDurably(files, beside, bytes);
    await files.rename(beside, `${folder}/${name}`);
  } catch (error) {
    await files.rm(beside, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(files, folder);
}

/** 8 random hexadecimal digits. */
export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Ends when the names in a folder are on the disk. Windows and some network file systems have no such operation. */
export async function syncFolder(files: Files, path: string): Promise<void> {
  let folder: OpenFile | undefined;
  try {
    folder = await files.open(path, "r");
    await folder.sync();
  } catch (error) {
    if (!["EISDIR", "EPERM", "EINVAL", "EBADF", "ENOTSUP"].includes(codeOf(error))) throw error;
  } finally {
    await folder?.close();
  }
}

/** The system's name of an error, such as "ENOENT", or nothing. */
export function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | undefined)?.code ?? "");
}

/** Whether an error of reading says that the file is missing or its disk damaged, and not, for instance, forbidden. */
export function isLost(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EISDIR", "EIO"].includes(codeOf(error));
}
