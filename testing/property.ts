/** The checks that a conformance suite consists of. @module */

/** A claim and its check, which any test runner can run. */
export interface Property {
  /** The claim, in a sentence that begins with what is tested. */
  readonly name: string;
  /** Throws, or rejects, if the claim does not hold. */
  readonly check: () => void | Promise<void>;
}

/**
 * Runs a check, during which Math.random throws, and fails if the check has replaced Math.random. Draws from Math.random
 * would differ between ranks, and its replacement would change the user's program.
 */
export function withoutMathRandom(check: () => void): void {
  const own = Math.random;
  const refuse = () => {
    throw new Error("Math.random was called: every draw must follow from the key");
  };
  Math.random = refuse;
  try {
    check();
    if (Math.random !== refuse) throw new Error("Math.random was replaced: it is the user's");
  } finally {
    Math.random = own;
  }
}
