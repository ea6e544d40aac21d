/** Options and arguments: how messages name what a caller passed, and refusals of what is unknown or out of range. @module */

/** A value as a message names it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 59)}…`);
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return isNamed(value) ? made(value) : instance(value);
  return String(value);
}

/** "a Float64Array", "a Promise", "a Sequential": of what has a class, its name, unless a bundler has shortened it. */
function instance(value: object): string {
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string" || name === "Object" || !/^[A-Z]\w{2,}$/.test(name)) return "an object";
  // By how it is spoken: "an SGDOptimizer", "a Uint8Array".
  return `${/^(?:[AEIO]|S[A-Z])/.test(name) ? "an" : "a"} ${name}`;
}

/** A compressor or a method. */
type Made = { readonly name: string } & object;

/** Whether a value is a compressor or a method, by its looks. */
export function isNamed(value: object): value is Made {
  return "name" in value && typeof value.name === "string" && ("encode" in value || "reduce" in value);
}

function made(value: Made): string {
  return `the ${"encode" in value ? "compressor" : "method"} ${value.name}`;
}

/**
 * The known name nearest to what was written: the same but for its case, or with at most two letters changed, added, left
 * out or swapped. Undefined where there is none.
 */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  let best: string | undefined, least = 3;
  for (const name of known) {
    const far = name.toLowerCase() === written.toLowerCase() ? 0 : distance(written, name);
    // A name of which everything was changed was not meant.
    if (far < least && far < name.length / 2) best = name, least = far;
  }
  return best;
}

/** What is added to the refusal of a name: the known one that may have been meant, or nothing. */
export function meant(written: string, known: readonly string[]): string {
  const near = nearestName(written, known);
  return near === undefined ? "" : `: was ${near} meant?`;
}

/** How many letters must be changed, added, left out, or swapped with their neighbour to come from one name to the other. */
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

/**
 * Refuses options that a function does not have: a misspelt one would be left out without a word.
 *
 * @throws {TypeError} with the list of those it has, also where the options are no object
 */
export function checkKnown(doing: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(
      `Cannot ${doing}: the options are ${show(options)}, expected an object with some of ${known.join(", ")}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const list = known.join(", ");
      throw new TypeError(`Cannot ${doing}: unknown option "${name}", known are ${list}${meant(name, known)}`);
    }
  }
}

/**
 * The options that a factory was called with: an empty object where it was called without.
 *
 * @throws {TypeError} unless they are an object whose properties are among the known ones
 */
export function checkOptions<O extends object>(what: string, options: O | undefined, known: readonly string[]): O {
  if (options === undefined) return {} as O;
  const expected = known.join(", ");
  if (typeof options !== "object" || options === null || Array.isArray(options) || isNamed(options)) {
    // `topK(10)` instead of `topK({ k: 10 })`. What stands before the options of some factories is not known here.
    const such = ["number", "string", "boolean"].includes(typeof options)
      ? `, as in { ${known[0]}: ${show(options)} }`
      : "";
    throw new TypeError(
      `Cannot make ${what}: its options are ${show(options)}, expected an object with ${expected}${such}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(
        `Cannot make ${what}: there is no option ${show(name)}, expected one of ${expected}${meant(name, known)}`,
      );
    }
  }
  return options;
}

/** @throws {RangeError} unless the value is an integer from least to most */
export function checkInteger(what: string, name: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && least <= value && value <= most)) {
    throw new RangeError(
      `Cannot make ${what}: ${name} is ${show(value)}, expected an integer from ${least} to ${most}`,
    );
  }
}

/** @throws {RangeError} unless the value is a number that `holds` accepts, which `expected` says in words */
export function checkNumber(
  what: string,
  name: string,
  value: number,
  holds: (value: number) => boolean,
  expected: string,
): void {
  if (!(typeof value === "number" && holds(value))) {
    throw new RangeError(`Cannot make ${what}: ${name} is ${show(value)}, expected ${expected}`);
  }
}

/** @throws {TypeError} unless the value is one of the choices */
export function checkChoice(what: string, name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value)) {
    throw new TypeError(`Cannot make ${what}: ${name} is ${show(value)}, expected one of ${choices.join(", ")}`);
  }
}

/** @throws {TypeError} unless the value is true or false */
export function checkBoolean(what: string, name: string, value: boolean): void {
  if (typeof value !== "boolean") {
    throw new TypeError(`Cannot make ${what}: ${name} is ${show(value)}, expected true or false`);
  }
}
