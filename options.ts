/** Checks of options and arguments: unknown names and bad values are refused in sentences that say what would do. @module */

/** What a message calls a value: "3", "an array", "a Float64Array", "the function parseInt", "the method average". */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 59)}…`);
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return isNamed(value) ? made(value) : instance(value);
  return String(value);
}

/** The name of an object's class, such as "a Promise", unless a bundler has shortened it. */
function instance(value: object): string {
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string" || name === "Object" || !/^[A-Z]\w{2,}$/.test(name)) return "an object";
  // The article follows the sound: "an SGDOptimizer", "a Uint8Array".
  return `${/^(?:[AEIO]|S[A-Z])/.test(name) ? "an" : "a"} ${name}`;
}

/** A compressor or a method. */
type Made = { readonly name: string } & object;

/** Whether a value looks like a compressor or a method. */
export function isNamed(value: object): value is Made {
  return "name" in value && typeof value.name === "string" && ("encode" in value || "reduce" in value);
}

function made(value: Made): string {
  return `the ${"encode" in value ? "compressor" : "method"} ${value.name}`;
}

/**
 * The known name that is nearest to what was written, if it differs in its case alone, or in at most two letters that are
 * changed, added, left out or swapped; else undefined.
 */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  let best: string | undefined, least = 3;
  for (const name of known) {
    const far = name.toLowerCase() === written.toLowerCase() ? 0 : distance(written, name);
    // If half of a short name's letters differ, it was hardly meant.
    if (far < least && far < name.length / 2) best = name, least = far;
  }
  return best;
}

/** The end of a refusal, which names the known name that may have been meant, or says nothing. */
export function meant(written: string, known: readonly string[]): string {
  const near = nearestName(written, known);
  return near === undefined ? "" : `: was ${near} meant?`;
}

/** How many letters must be changed, added, left out or swapped with a neighbour to turn one name into the other. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1, row = rows[i]!, above = rows[i - 1]!;
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
  }
  return rows[a.length]![b.length]!;
}

/** The sentence that refuses an option: its name, those that there are, and which of them may have been meant. */
export function noOption(written: string, known: readonly string[], hint = meant(written, known)): string {
  return `there is no option ${show(written)}, expected one of ${known.join(", ")}${hint}`;
}

/**
 * The options that a function was called with, or an empty object where it was called without. A misspelt option is
 * refused: it would otherwise be ignored without a word.
 *
 * @param doing what cannot be done, as the message says it: "make topK", "connect"
 * @throws {TypeError} unless they are an object whose properties are among the known ones
 */
export function checkOptions<O extends object>(doing: string, options: O | undefined, known: readonly string[]): O {
  if (options === undefined) return {} as O;
  if (typeof options !== "object" || options === null || Array.isArray(options) || isNamed(options)) {
    // `topK(10)` instead of `topK({ k: 10 })`.
    const such = ["number", "string", "boolean"].includes(typeof options)
      ? `, as in { ${known[0]}: ${show(options)} }`
      : "";
    throw new TypeError(
      `Cannot ${doing}: the options are ${show(options)}, expected an object with some of ${known.join(", ")}${such}`,
    );
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`Cannot ${doing}: ${noOption(unknown, known)}`);
  return options;
}

/** @throws {RangeError} unless the value is a safe integer from `least` to `most` */
export function checkInteger(doing: string, name: string, value: number, least: number, most?: number): void {
  if (Number.isSafeInteger(value) && least <= value && value <= (most ?? value)) return;
  const expected = most === undefined ? `≥ ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`Cannot ${doing}: ${name} is ${show(value)}, expected an integer ${expected}`);
}

/** Which numbers are accepted: > above or ≥ least, and < below or ≤ most. */
interface NumberRange {
  readonly above?: number;
  readonly least?: number;
  /** The largest finite number by default. */
  readonly most?: number;
  readonly below?: number;
  /** Why the range is this one. */
  readonly note?: string;
}

/** @throws {RangeError} unless the value is a number within the range */
export function checkNumber(doing: string, name: string, value: number, range: NumberRange): void {
  const { above, least, most, below, note = "" } = range;
  if (typeof value === "number") {
    const low = above === undefined ? value >= (least ?? -Number.MAX_VALUE) : value > above;
    const high = below === undefined ? value <= (most ?? Number.MAX_VALUE) : value < below;
    if (low && high) return;
  }
  const bounds = Object.entries({ ">": above, "≥": least, "<": below, "≤": most })
    .flatMap(([sign, bound]) => bound === undefined || bound === Infinity ? [] : `${sign} ${bound}`).join(" and ");
  throw new RangeError(
    `Cannot ${doing}: ${name} is ${show(value)}, expected a number ${bounds}${note && `, ${note}`}`,
  );
}

/** @throws {TypeError} unless the value is one of the choices */
export function checkChoice(doing: string, name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) {
    throw new TypeError(`Cannot ${doing}: ${name} is ${show(value)}, expected one of ${choices.join(", ")}`);
  }
}

/** @throws {TypeError} unless the value is true or false */
export function checkBoolean(doing: string, name: string, value: boolean): void {
  if (typeof value !== "boolean") {
    throw new TypeError(`Cannot ${doing}: ${name} is ${show(value)}, expected true or false`);
  }
}
