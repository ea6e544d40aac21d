import { show } from "../../options.ts";

/**
 * Checks that a worker can be sent a copy of a value.
 *
 * @param doing what cannot be done otherwise, for the message
 * @param name how the message calls the value
 * @throws {TypeError} if it cannot; the message names the member that structuredClone refuses
 */
export function checkCloneable(doing: string, name: string, value: unknown): void {
  const found = refused(name, value, new Set());
  if (found === undefined) return;
  throw new TypeError(
    `Cannot ${doing}: ${found.name} is ${show(found.value)}, which cannot be copied to a worker; expected what ` +
      "structuredClone takes",
  );
}

interface Member {
  readonly name: string;
  readonly value: unknown;
}

/** The innermost member that cannot be cloned, undefined if everything can. */
function refused(name: string, value: unknown, seen: Set<unknown>): Member | undefined {
  try {
    structuredClone(value);
    return undefined;
  } catch {
    if (typeof value !== "object" || value === null || seen.has(value)) return { name, value };
  }
  seen.add(value);
  for (const [key, member] of Object.entries(value)) {
    const found = seen.has(member) ? undefined : refused(`${name}.${key}`, member, seen);
    if (found) return found;
  }
  return { name, value };
}
