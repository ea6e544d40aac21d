/** The file system under Deno and Node. @module */

import { show } from "../../options.ts";

/** An open file. */
interface OpenFile {
  /** Writes all bytes. */
  writeFile(bytes: Uint8Array): Promise<void>;
  /** Ends when what was written is on the disk. */
  sync(): Promise<void>;
  /** Closes the file. */
  close(): Promise<void>;
}

/** The operations of `node:fs/promises` that saving and restoring need. */
export interface Files {
  /** Opens a file, or, to read, a folder. */
  open(path: string, flags: "w" | "r"): Promise<OpenFile>;
  /** All bytes of a file. */
  readFile(path: string): Promise<Uint8Array>;
  /** The names of what is in a folder. */
  readdir(path: string): Promise<string[]>;
  /** Makes a folder and those above it, unless they are there. */
  mkdir(path: string, options: { readonly recursive: true }): Promise<unknown>;
  /** Gives a file or folder another name, in one moment. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or folder and all in it, if it is there. */
  rm(path: string, options: { readonly recursive: true; readonly force: true }): Promise<void>;
}

/**
 * Imports the file system of Deno or Node. It is imported only when it is needed, and by a name that bundlers do not
 * follow, so that pages can import this library.
 *
 * @throws {Error} in a page, which has no file system. The caller adds what cannot be done
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

/**
 * Makes a path, or a file: URL, a path without slashes at its end.
 *
 * @throws {TypeError} if it is neither
 */
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

/** Writes a file and ends when its bytes are on the disk. Its name is on the disk only after `syncFolder`. */
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
 * Replaces the bytes of a file in one moment: whoever reads the file, also after an interruption, finds the old bytes
 * or the new ones.
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

/** Draws 8 random hexadecimal digits. */
export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Ends when the names in a folder are on the disk. Windows and some network file systems cannot do so. */
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

/** The system's code of an error, such as "ENOENT", or an empty text. */
export function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | undefined)?.code ?? "");
}

/** Whether an error of reading says that the file is missing or its disk damaged, and not that reading is forbidden. */
export function isLost(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EISDIR", "EIO"].includes(codeOf(error));
}
