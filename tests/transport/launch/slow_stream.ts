/** A stream for what the launcher prints. @module */

/** The bytes of a text. */
export const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** A stream that takes three bytes at a time, and what it has taken. */
export function slow(): { readonly text: string; write(some: Uint8Array): Promise<number> } {
  const bytes: number[] = [];
  return {
    get text() {
      return new TextDecoder().decode(Uint8Array.from(bytes));
    },
    write(some: Uint8Array): Promise<number> {
      bytes.push(...some.subarray(0, 3));
      return Promise.resolve(Math.min(3, some.length));
    },
  };
}
