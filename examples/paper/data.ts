/**
 * The data sets of the paper's experiments: read from a folder, or downloaded once into the user's cache.
 *
 * @module
 */

import { encodeHex } from "@std/encoding/hex.js";

/** A LIBSVM file: its place in a data folder, on the LIBSVM site, and the sha256 of its bytes. */
export interface DataSet {
  readonly file: string;
  readonly remote: string;
  readonly sha256: string;
}

/** The files, by name. */
export const DATA_SETS = {
  "bodyfat": set(
    "bodyfat/bodyfat_scale",
    "regression/bodyfat_scale",
    "c0b4ccfaf708b2b11b4e40fdf8651a58c6f67a7fff8411a13fb1069eaac74191",
  ),
  "breast-cancer": set(
    "breast-cancer/breast-cancer_scale",
    "binary/breast-cancer_scale",
    "8fe6bce62147e0715a192378d29acf839b4a8a71d75ae4c88245a3526c20a6e4",
  ),
  "a5a": set("libsvm/a5a", "binary/a5a", "5cb3a6603de0a0eb43afcdd45b1820c71ee7f20da1c09f054696bb71cbc45ad8"),
  "mushrooms": set(
    "libsvm/mushrooms",
    "binary/mushrooms",
    "f39a4eb628dc61a7d43760815b061c9e497aa728ce1ad8bde57a09ef6043b538",
  ),
  "w8a": set("libsvm/w8a", "binary/w8a", "6a9fa8fd5f524303240a5db07d4b3d4a51e8b7b4b20a914105d8e3e8c81640f2"),
  "phishing": set(
    "libsvm/phishing",
    "binary/phishing",
    "0cf66ef36604c393da9359b2e5d894a2df8aee31fd184633cefa138add2ef08a",
  ),
} as const satisfies Record<string, DataSet>;

function set(file: string, remote: string, sha256: string): DataSet {
  return { file, remote, sha256 };
}

/** Where to look for a data set, and whom to tell. */
interface ReadDataOptions {
  /** A folder that holds the files as `file` names them. Without it they are downloaded. */
  readonly folder?: string | undefined;
  /** Where downloads are kept. Default: the user's cache folder. */
  readonly cache?: string;
  /** The site that downloads come from. */
  readonly site?: string;
  /** Milliseconds without a byte after which a download is given up. Default 30 000. */
  readonly timeout?: number;
  /** Told of each piece of a download: bytes so far, and in all where the server says so. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
}

/**
 * The text of a data set. A download is kept only if its sha256 is right, and written in one piece.
 *
 * @throws {Error} if the file cannot be read or downloaded, or is not the one that the experiments used
 */
export async function readData(dataSet: DataSet, options: ReadDataOptions = {}): Promise<string> {
  const { file, sha256 } = dataSet, decoder = new TextDecoder();
  if (options.folder !== undefined) {
    const bytes = await Deno.readFile(`${options.folder}/${file}`);
    await check(bytes, sha256, `${options.folder}/${file}`);
    return decoder.decode(bytes);
  }
  const cache = options.cache ?? defaultCache(), kept = `${cache}/${sha256}`;
  try {
    const bytes = await Deno.readFile(kept);
    await check(bytes, sha256, kept);
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const bytes = await download(dataSet, options);
  await Deno.mkdir(cache, { recursive: true });
  const part = await Deno.makeTempFile({ dir: cache });
  await Deno.writeFile(part, bytes);
  await Deno.rename(part, kept);
  return decoder.decode(bytes);
}

async function download(
  { remote, sha256 }: DataSet,
  { site = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets", timeout = 30_000, onProgress }: ReadDataOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = `${site}/${remote}`,
    fail = (why: string, cause?: unknown): never => {
      throw new Error(`Cannot download ${url}: ${why}. With --data DIR the files are read from a folder instead`, {
        cause,
      });
    };
  const controller = new AbortController(), silent = () => controller.abort(new Error(`no byte for ${timeout} ms`));
  let timer = setTimeout(silent, timeout);
  const pieces: Uint8Array[] = [];
  let received = 0, total: number | undefined;
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      return fail(`the server answers ${response.status} ${response.statusText}`);
    }
    const length = response.headers.get("content-length");
    total = length === null ? undefined : Number(length);
    for await (const piece of response.body) {
      clearTimeout(timer), timer = setTimeout(silent, timeout);
      pieces.push(piece), received += piece.length;
      onProgress?.(received, total);
    }
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("Cannot download")) throw error;
    fail(error instanceof Error ? error.message : String(error), error);
  } finally {
    clearTimeout(timer);
  }
  if (total !== undefined && received !== total) fail(`it ended after ${received} bytes, expected ${total}`);
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const piece of pieces) bytes.set(piece, at), at += piece.length;
  await check(bytes, sha256, url);
  return bytes;
}

async function check(bytes: Uint8Array<ArrayBuffer>, sha256: string, where: string): Promise<void> {
  const found = encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  if (found !== sha256) throw new Error(`Cannot use ${where}: its sha256 is ${found}, expected ${sha256}`);
}

function defaultCache(): string {
  const { os } = Deno.build, home = Deno.env.get("HOME") ?? ".";
  const base = os === "windows"
    ? Deno.env.get("LOCALAPPDATA") ?? "."
    : Deno.env.get("XDG_CACHE_HOME") ?? (os === "darwin" ? `${home}/Library/Caches` : `${home}/.cache`);
  return `${base}/gradwire`;
}
