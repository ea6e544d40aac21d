/** How ranks find out that they do not belong together. @module */

import { equalBytes } from "../bytes.ts";
import { allGather, type Exchange } from "./round.ts";

/** The version of every layout in FORMAT.md. Ranks of different versions do not train together. */
const formatVersion = 1;

/**
 * Compares facts that all ranks must share, such as the seed, the layout of the model, the method and its options.
 *
 * The ranks all-gather their facts as canonical JSON and each of them compares, so that either all ranks go on or none
 * does. Functions and undefined members are left out; the version of the format is added. A rank's own number is no
 * such fact.
 *
 * @param facts this rank's facts, by name
 * @throws {Error} on every rank, if facts differ; it names the ranks and the first difference with both values
 * @example
 * ```ts
 * import { alone, handshake, runBlocking } from "@gradwire/tfjs/transport";
 * using group = alone();
 * runBlocking(handshake({ seed: 7, size: group.size }), group);
 * ```
 */
export function* handshake(facts: Readonly<Record<string, unknown>>): Exchange {
  const mine = encoder.encode(canonical({ ...facts, gradwire: formatVersion }));
  const messages = yield* allGather(mine);
  if (messages.every((message) => equalBytes(message, messages[0]!))) return;
  const theirs = messages.map(parse);
  // The difference that is named is the same on all ranks: the first that some rank has with rank 0.
  for (let rank = 1; rank < theirs.length; rank++) {
    const found = difference(theirs[0], theirs[rank], []);
    if (found === undefined) continue;
    const value = theirs.map((facts) => JSON.stringify(at(facts, found)) ?? "nothing");
    const camps = [...new Set(value)].map((text) => {
      const ranks = value.flatMap((other, rank) => other === text ? [rank] : []);
      return `${ranks.length === 1 ? `rank ${ranks[0]} has` : `ranks ${ranks.join(", ")} have`} ${shortened(text)}`;
    });
    throw new Error(`Cannot train together: ${found.join(".") || "the handshake"} differs: ${camps.join(", ")}`);
  }
}

/**
 * The value as JSON, equal for equal values: members stand in the order of their names' code units, typed arrays are
 * lists, and numbers that JSON lacks are strings.
 */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (
      typeof member === "bigint" || (typeof member === "number" && (!Number.isFinite(member) || Object.is(member, -0)))
    ) {
      return Object.is(member, -0) ? "-0" : String(member);
    }
    if (ArrayBuffer.isView(member) && !(member instanceof DataView)) return Array.from(member as Float64Array);
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
  });
}

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { fatal: true });

function parse(message: Uint8Array, rank: number): unknown {
  try {
    return JSON.parse(decoder.decode(message.slice())); // sliced: decoders refuse shared memory
  } catch (cause) {
    throw new Error(`Cannot train together: rank ${rank} sent ${message.length} bytes that are no handshake`, {
      cause,
    });
  }
}

type Path = readonly (string | number)[];

/** The path to the first difference of two values, by the order of names and of list elements. */
function difference(a: unknown, b: unknown, path: Path): Path | undefined {
  if (canonical(a) === canonical(b)) return undefined;
  if (Array.isArray(a) !== Array.isArray(b) || !isObject(a) || !isObject(b)) return path;
  const names = Array.isArray(a)
    ? Array.from({ length: Math.max(a.length, (b as unknown as unknown[]).length) }, (_, i) => i)
    : [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  for (const name of names) {
    const found = difference(a[name], b[name], [...path, name]);
    if (found !== undefined) return found;
  }
  return path;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, name) => isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined,
    value,
  );
}

function isObject(value: unknown): value is Record<string | number, unknown> {
  return typeof value === "object" && value !== null;
}

/** The text, cut to 200 characters. */
function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}
