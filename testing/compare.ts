/** What suites compare, and how they say what they found. @module */

/** Throws an error with this message unless the condition holds. */
export function assert(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(message());
}

/** The first numbers of a vector, for messages. */
export function excerpt(vector: Float32Array): string {
  return `[${vector.subarray(0, 8).join(", ")}${vector.length > 8 ? `, … ${vector.length} numbers` : ""}]`;
}
