/** The place that environment variables give a rank, where torchrun, Slurm or this library's launcher started it. @module */

import type { LaunchedPlace, MeetingPoint, TcpPoint } from "./place.ts";

/** The variables that torchrun sets, that Slurm sets, and that this library's launcher sets. */
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

/** One of them. */
type Variable = typeof variables[number];

/** The value of a variable, undefined where it is not set. */
type Environment = (variable: Variable) => string | undefined;

/**
 * A program that starts ranks as processes and tells them their place by variables. Another one is another entry of
 * {@linkcode starters}.
 */
interface Starter {
  /** The variable that holds a process's rank, and the one that holds how many ranks there are. */
  readonly rank: Variable;
  readonly size: Variable;
  /** Whether this program started the process. */
  started(given: (variable: Variable) => boolean, get: Environment): boolean;
  /** Another variable that a rank must have. */
  readonly needs?: Variable;
  /** Where its ranks meet, if there are several. */
  meeting(read: Reader): MeetingPoint;
}

/** Reads variables that must be there; refuses the environment where one is missing or out of range. */
interface Reader {
  text(variable: Variable): string;
  integer(variable: Variable, least: number, most: number): number;
  readonly get: Environment;
}

/** Rank 0 listens at the master's address. */
function atMaster({ text, integer, get }: Reader): TcpPoint {
  const port = integer("MASTER_PORT", 1, 65_535), host = text("MASTER_ADDR"), run = get("GRADWIRE_RUN");
  return { transport: "tcp", host, port, ...(run ? { run } : {}) };
}

/** The first of these that has started the process tells its place. */
const starters: readonly Starter[] = [
  // torchrun, and this library's launcher.
  { rank: "RANK", size: "WORLD_SIZE", started: (given) => given("RANK") || given("WORLD_SIZE"), meeting: atMaster },
  // A shell or batch script of Slurm, whose SLURM_PROCID is 0, is no rank: only the tasks of a step are, which srun starts,
  // and which know their step and how many they are.
  {
    rank: "SLURM_PROCID",
    size: "SLURM_NTASKS",
    needs: "SLURM_STEP_ID",
    meeting: atMaster,
    started: (given, get) =>
      given("SLURM_PROCID") && ((given("SLURM_NTASKS") && given("SLURM_STEP_ID")) || Number(get("SLURM_PROCID")) !== 0),
  },
];

/**
 * The place that variables name, if they do.
 *
 * @throws {Error} if some are missing or are no numbers in range
 */
export function placeFrom(get: Environment): LaunchedPlace | undefined {
  const given = (variable: Variable) => (get(variable) ?? "") !== "";
  // A WORLD_SIZE of 1 without RANK stands for a group of one, also inside a step of Slurm.
  if (given("WORLD_SIZE") && !given("RANK") && Number(get("WORLD_SIZE")) === 1) return undefined;
  const starter = starters.find(({ started }) => started(given, get));
  if (starter === undefined) return undefined;
  const there = given(starter.rank) ? starter.rank : starter.size;
  const text = (variable: Variable): string => {
    const value = get(variable);
    if (value !== undefined && value !== "") return value;
    throw new Error(
      `Cannot connect: ${there} is ${get(there)}, but ${variable} is not set; several ranks need ${starter.rank}, ` +
        `${starter.size}, MASTER_ADDR and MASTER_PORT, a single one needs none of them`,
    );
  };
  const integer = (variable: Variable, least: number, most: number, why = ""): number => {
    const digits = text(variable), number = Number(digits);
    if (/^\d+$/.test(digits) && least <= number && number <= most) return number;
    throw new RangeError(
      `Cannot connect: ${variable} is ${digits}, expected an integer from ${least} to ${most}${why}`,
    );
  };
  if (starter.needs) text(starter.needs);
  const size = integer(starter.size, 1, 2 ** 31 - 1);
  const rank = integer(starter.rank, 0, size - 1, `, below ${starter.size}`);
  if (size === 1) return { rank, size, args: [], meeting: { transport: "alone" } };
  const milliseconds = (name: string, variable: Variable) =>
    given(variable)
      ? { [name]: get(variable) === "Infinity" ? Infinity : integer(variable, 1, 2 ** 31 - 1) }
      : undefined;
  return {
    rank,
    size,
    args: [],
    meeting: starter.meeting({ text, integer, get }),
    ...milliseconds("connectTimeout", "GRADWIRE_CONNECT_TIMEOUT"),
    ...milliseconds("timeout", "GRADWIRE_TIMEOUT"),
    ...milliseconds("roundTimeout", "GRADWIRE_ROUND_TIMEOUT"),
  };
}
