/** What fuzzing tries: one area a file, and what counts as a refusal. @module */

import type { Draw } from "./draw.ts";

/** A part of the library that takes what strangers send, or what users write. */
export interface Area {
  /** One word. */
  readonly name: string;
  /** Cases of this area per hundred of all. */
  readonly share: number;
  /**
   * Prepares what all cases share, and returns what tries one case: it makes the case from `draw`, hands what it is about to
   * try to `note`, and returns whether it was accepted. It throws whatever is no proper refusal.
   */
  prepare(): Promise<Try> | Try;
}

/** Tries one case. */
export type Try = (draw: Draw, note: (input: unknown) => void) => boolean | Promise<boolean>;

/** Sentences of the language's own that start like ours. */
const foreign =
  /^Cannot (read propert|destructure|mix BigInt|convert|access|create property|assign|set propert|redefine|add propert|delete|freeze|define|use '|pass)/;

/** Whether an error is a refusal in words: of one of these kinds, with a sentence that starts with "Cannot". */
export function isRefusal(error: unknown, plain = false): boolean {
  return (error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError ||
    (plain && error instanceof Error)) && error.message.startsWith("Cannot ") && !foreign.test(error.message);
}

/** Runs it: true where it returns, false where it refuses in words. Whatever else it throws is thrown on. */
export function accepts(run: () => void, plain = false): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (isRefusal(error, plain)) return false;
    throw error;
  }
}
