/** How the launcher tells a rank its place: workers through their global object, processes through variables. @module */

/** Where the ranks of a group meet. */
export type Meeting =
  | { readonly transport: "broadcast"; readonly name: string }
  | { readonly transport: "tcp"; readonly host: string; readonly port: number; readonly run?: string };

/** What a rank is told by the launcher that started it. */
export interface Place {
  readonly rank: number;
  readonly size: number;
  readonly meeting: Meeting;
  /** The script's arguments. */
  readonly args: readonly string[];
  /** How long ranks wait for one another, in milliseconds. */
  readonly timeout?: number | undefined;
}

/** What a worker is told when it starts. */
export interface Start {
  readonly script: string;
  readonly prefix: boolean;
  readonly place: Place;
}

/** What a worker says when it has ended. */
export interface Ended {
  readonly gradwire: "ended";
  readonly code: number;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string | undefined };
}

/** The variables that torchrun sets, that Slurm sets, and ours. */
export const variables = [
  "RANK",
  "WORLD_SIZE",
  "MASTER_ADDR",
  "MASTER_PORT",
  "SLURM_PROCID",
  "SLURM_NTASKS",
  "GRADWIRE_RUN",
  "GRADWIRE_TIMEOUT",
] as const;

const mark = Symbol.for("gradwire place");

/** This worker's place, where the launcher started it. */
export function place(): Place | undefined {
  return (globalThis as { [mark]?: Place })[mark];
}

/** Tells this worker its place. */
export function settle(place: Place): void {
  (globalThis as { [mark]?: Place })[mark] = place;
}

/**
 * The place that variables name, if they do.
 *
 * @throws {Error} if some are missing or are no numbers in range
 */
export function placeFrom(get: (variable: typeof variables[number]) => string | undefined): Place | undefined {
  const torch = get("RANK") !== undefined;
  if (!torch && get("SLURM_PROCID") === undefined) return undefined;
  const [rankName, sizeName] = torch ? ["RANK", "WORLD_SIZE"] as const : ["SLURM_PROCID", "SLURM_NTASKS"] as const;
  const value = (variable: typeof variables[number]): string => {
    const text = get(variable);
    if (text !== undefined && text !== "") return text;
    throw new Error(
      `Cannot connect: ${rankName} is ${get(rankName)}, but ${variable} is not set; several ranks need ${rankName}, ` +
        `${sizeName}, MASTER_ADDR and MASTER_PORT, a single one needs none of them`,
    );
  };
  const integer = (variable: typeof variables[number], least: number, most: number): number => {
    const text = value(variable), number = Number(text);
    if (/^\d+$/.test(text) && least <= number && number <= most) return number;
    throw new RangeError(`Cannot connect: ${variable} is ${text}, expected an integer from ${least} to ${most}`);
  };
  const size = integer(sizeName, 1, 2 ** 31 - 1), rank = integer(rankName, 0, size - 1);
  const timeout = get("GRADWIRE_TIMEOUT"), run = get("GRADWIRE_RUN");
  if (size === 1) return { rank, size, args: [], meeting: { transport: "tcp", host: "", port: 0 } };
  const port = integer("MASTER_PORT", 1, 65_535), host = value("MASTER_ADDR");
  return {
    rank,
    size,
    args: [],
    meeting: { transport: "tcp", host, port, ...(run ? { run } : {}) },
    timeout: timeout ? integer("GRADWIRE_TIMEOUT", 1, 2 ** 31 - 1) : undefined,
  };
}
