/** Whether a thread may block. @module */

/**
 * Checks that this thread may block, as the main thread of a page may not.
 *
 * @throws {TypeError} where it must not; the message says what to do instead
 */
export function requireBlocking(): void {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
  } catch (cause) {
    throw new TypeError(
      "Cannot block on this thread: the main thread of a page must not wait, and shared memory needs cross-origin " +
        "isolation; train in a Worker, or use minimizeAsync with an awaited group",
      { cause },
    );
  }
}
