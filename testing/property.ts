/** What a conformance suite consists of. @module */

/** One named claim and the check that throws if it does not hold. Runs under any test runner. */
export interface Property {
  /** What is claimed. */
  readonly name: string;
  /** Throws, or rejects, if the claim does not hold. */
  readonly check: () => void | Promise<void>;
}

/**
 * Runs a check during which Math.random throws, and which must not replace it: the user's generator is the user's, and
 * draws that come from it are not equal on all ranks.
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
