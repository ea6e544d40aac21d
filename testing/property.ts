/** What a conformance suite consists of. @module */

/** One named claim and the check that throws if it does not hold. Runs under any test runner. */
export interface Property {
  /** What is claimed. */
  readonly name: string;
  /** Throws, or rejects, if the claim does not hold. */
  readonly check: () => void | Promise<void>;
}
