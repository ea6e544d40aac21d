/**
 * How the launcher passes on what processes print, with the number of the rank before every line.
 *
 * Bytes are passed on as they come. Only the bytes of line ends matter, so that text in any encoding, and output that is no
 * text, stay as they are.
 *
 * @module
 */

/** A stream that several ranks print to. */
export interface Sink {
  /** Prints what `owner` has written, on a new line where another owner has begun one. */
  print(owner: Owner, bytes: Uint8Array): Promise<void>;
}

/** One that prints: the stdout or the stderr of a rank. */
interface Owner {
  /** What stands before each of its lines. */
  readonly prefix: Uint8Array;
  /** The last byte that it has printed, if it has. */
  last?: number;
}

const LF = 10, CR = 13;

/**
 * Prints to a stream. Where its reader is slow, `print` waits for it, without blocking the thread. When the reader has gone,
 * as `head` does, the rest of the output is thrown away, as under `deno run`, and the ranks go on.
 */
export function sink(to: { write(bytes: Uint8Array): Promise<number> }): Sink {
  let writing: Promise<void> = Promise.resolve(), unfinished: Owner | undefined, gone = false;
  async function write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length && !gone;) done += await to.write(bytes.subarray(done));
    } catch {
      gone = true;
    }
  }
  return {
    print(owner, bytes) {
      const parts: Uint8Array[] = [];
      if (unfinished !== undefined && unfinished !== owner) parts.push(Uint8Array.of(LF));
      if (unfinished !== owner && owner.last !== CR) owner.last = LF; // The owner begins a new line.
      let from = 0;
      for (let i = 0; i < bytes.length; i++) {
        const byte = bytes[i]!, begins = owner.last === LF || (owner.last === CR && byte !== LF && byte !== CR);
        if (begins) {
          if (i > from) parts.push(bytes.subarray(from, i));
          if (byte !== CR) parts.push(owner.prefix);
          from = i;
        }
        owner.last = byte;
      }
      if (bytes.length > from) parts.push(bytes.subarray(from));
      unfinished = owner.last === LF || owner.last === CR ? undefined : owner;
      writing = writing.then(() => write(joined(parts)));
      return writing;
    },
  };
}

/** The parts, one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The length in bytes, and the age in milliseconds, at which an unfinished line is passed on. */
const longest = 8192, oldestMs = 100;
/**
 * For how many tenths of a second nothing must come, once the process has ended, before the copy is ended too: a child of the
 * process may hold the pipe open.
 */
const silences = 10;

/** A pipe that is being copied. */
interface Copying {
  /** Resolves when everything that the process has printed is passed on. It is called when the process has ended. */
  drained(): Promise<void>;
}

/** Copies a pipe to a sink, but for what `keep` takes out of it. */
export function copy(from: ReadableStream<Uint8Array>, prefix: string, to: Sink, keep: Keep = keepNothing): Copying {
  const owner: Owner = { prefix: new TextEncoder().encode(prefix) }, reader = from.getReader();
  let held: Uint8Array[] = [], size = 0, timer: ReturnType<typeof setTimeout> | undefined;
  let printing = false, silent = 0;

  async function flush(all: boolean): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const bytes = joined(held), end = all ? bytes.length : wholeCharacters(bytes);
    held = end < bytes.length ? [bytes.subarray(end)] : [];
    size = bytes.length - end;
    if (end === 0) return;
    printing = true;
    await to.print(owner, bytes.subarray(0, end)).finally(() => printing = false);
  }

  async function take(bytes: Uint8Array): Promise<void> {
    const end = Math.max(bytes.lastIndexOf(LF), bytes.lastIndexOf(CR)) + 1;
    if (end > 0) {
      held.push(bytes.subarray(0, end));
      await flush(true);
    }
    if (end < bytes.length) held.push(bytes.subarray(end));
    size += bytes.length - end;
    if (size >= longest) await flush(false);
    else if (size > 0) timer ??= setTimeout(() => void flush(false), oldestMs);
  }

  const copied = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      silent = 0;
      const bytes = done ? keep.end() : keep.take(value, (late) => void take(late));
      if (bytes.length > 0) await take(bytes);
      if (done) return await flush(true);
    }
  })().catch(() => {}); // A pipe that breaks has ended.

  return {
    async drained() {
      silent = 0;
      const watch = setInterval(() => {
        if (!printing && ++silent > silences) reader.cancel().catch(() => {});
      }, 100);
      await copied.finally(() => clearInterval(watch));
    },
  };
}

/** How many bytes hold whole characters of UTF-8; the last character may be there in part. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Keeps back a part of what a process prints. */
export interface Keep {
  /** The part of these bytes that is printed now. What was kept back in vain is given to `later`, which prints it. */
  take(bytes: Uint8Array, later: (bytes: Uint8Array) => void): Uint8Array;
  /** What is printed when the pipe has ended. */
  end(): Uint8Array;
}

const nothing = new Uint8Array(0);
const keepNothing: Keep = { take: (bytes) => bytes, end: () => nothing };
