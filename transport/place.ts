/** How the launcher tells a rank its place: workers through their global object, processes through variables. @module */

import type { Deadlines } from "./deadlines.ts";

/** Where the ranks of a group meet. */
export type Meeting =
  | { readonly transport: "broadcast"; readonly name: string }
  | { readonly transport: "tcp"; readonly host: string; readonly port: number; readonly run?: string };

/** What a rank is told by the launcher that started it. */
export interface Place extends Deadlines {
  readonly rank: number;
  readonly size: number;
  readonly meeting: Meeting;
  /** The script's arguments. */
  readonly args: readonly string[];
}

/** What a worker is told when it starts. */
export interface Start {
  readonly script: string;
  readonly prefix: boolean;
  readonly place: Place;
}

/** An error as it goes from one thread to another. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** The rank that was lost, where this is or was caused by a TransportError that names one. */
  readonly lost?: number | undefined;
}

/** What a worker says: that it fails; when it ends, whether it has called connect(). */
export type Said =
  | { readonly gradwire: "failed"; readonly failure: Failure }
  | { readonly gradwire: "ended"; readonly connected: boolean };

/** The variables that torchrun sets, that Slurm sets, and ours. */
export const variables = [
  "RANK",
  "WORLD_SIZE",
  "MASTER_ADDR",
  "MASTER_PORT",
  "SLURM_PROCID",
  "SLURM_NTASKS",
  "SLURM_STEP_ID",
  "GRADWIRE_RUN",
  "GRADWIRE_LAUNCHER",
  "GRADWIRE_CONNECT_TIMEOUT",
  "GRADWIRE_TIMEOUT",
  "GRADWIRE_ROUND_TIMEOUT",
] as const;

type Variable = typeof variables[number];

const mark = Symbol.for("gradwire place"), connected = Symbol.for("gradwire connected");
const scope = globalThis as { [mark]?: Place; [connected]?: boolean };

/** This worker's place, where the launcher started it. */
export function place(): Place | undefined {
  return scope[mark];
}

/** Tells this worker its place. */
export function settle(place: Place): void {
  scope[mark] = place;
}

/** Notes that this worker has called connect(). */
export function noteConnected(): void {
  scope[connected] = true;
}

/** Whether this worker has called connect(). */
export function hasConnected(): boolean {
  return scope[connected] === true;
}

/** The variables that say where a rank stands: its number, how many there are, and where they meet. */
const torch = ["RANK", "WORLD_SIZE"] as const, slurm = ["SLURM_PROCID", "SLURM_NTASKS"] as const;

/**
 * The place that variables name, if they do. A shell or batch script of Slurm, whose SLURM_PROCID is 0, is no rank: only
 * the tasks of a step are, which srun starts, and which know their step and how many they are.
 *
 * @throws {Error} if some are missing or are no numbers in range
 */
export function placeFrom(get: (variable: Variable) => string | undefined): Place | undefined {
  const given = (variable: Variable) => (get(variable) ?? "") !== "";
  const inTorch = torch.some(given), task = given("SLURM_NTASKS") && given("SLURM_STEP_ID");
  const inSlurm = given("SLURM_PROCID") && (task || Number(get("SLURM_PROCID")) !== 0);
  if (!inTorch && !inSlurm) return undefined;
  if (inTorch && !given("RANK") && Number(get("WORLD_SIZE")) === 1) return undefined;
  const [rankName, sizeName] = inTorch ? torch : slurm, there = inTorch && !given("RANK") ? sizeName : rankName;
  const value = (variable: Variable): string => {
    const text = get(variable);
    if (text !== undefined && text !== "") return text;
    throw new Error(
      `Cannot connect: ${there} is ${get(there)}, but ${variable} is not set; several ranks need ${rankName}, ` +
        `${sizeName}, MASTER_ADDR and MASTER_PORT, a single one needs none of them`,
    );
  };
  const integer = (variable: Variable, least: number, most: number, why = ""): number => {
    const text = value(variable), number = Number(text);
    if (/^\d+$/.test(text) && least <= number && number <= most) return number;
    throw new RangeError(`Cannot connect: ${variable} is ${text}, expected an integer from ${least} to ${most}${why}`);
  };
  if (!inTorch) value("SLURM_STEP_ID");
  const size = integer(sizeName, 1, 2 ** 31 - 1),
    rank = integer(rankName, 0, size - 1, `, below ${sizeName}`),
    run = get("GRADWIRE_RUN");
  if (size === 1) return { rank, size, args: [], meeting: { transport: "tcp", host: "", port: 0 } };
  const port = integer("MASTER_PORT", 1, 65_535), host = value("MASTER_ADDR");
  const milliseconds = ([name, variable]: readonly [string, Variable]) =>
    given(variable) ? [[name, get(variable) === "Infinity" ? Infinity : integer(variable, 1, 2 ** 31 - 1)]] : [];
  return {
    rank,
    size,
    args: [],
    meeting: { transport: "tcp", host, port, ...(run ? { run } : {}) },
    ...Object.fromEntries(
      ([
        ["connectTimeout", "GRADWIRE_CONNECT_TIMEOUT"],
        ["timeout", "GRADWIRE_TIMEOUT"],
        ["roundTimeout", "GRADWIRE_ROUND_TIMEOUT"],
      ] as const).flatMap(milliseconds),
    ),
  };
}
