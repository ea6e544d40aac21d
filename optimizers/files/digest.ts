/** A short name for bytes: equal bytes have equal digests. @module */

/** A digest under way: two words of 32 bits, each mixed as in MurmurHash3 from a start of its own. */
export interface Digest {
  /** Mixes bytes in. Several calls give the digest of one call if all lengths are multiples of 4. */
  bytes(bytes: Uint8Array): Digest;
  /** Mixes in the length of a text in UTF-8, and its bytes. */
  text(text: string): Digest;
  /** The digest of what was mixed in so far: 16 hexadecimal digits. */
  hex(): string;
}

/**
 * Begins a digest of 64 bits; FORMAT.md defines it. It tells accidental differences, of which it misses one in 2⁶⁴, and
 * is no protection against forgery.
 */
export function digest(): Digest {
  let a = 0x9747b28c | 0, b = 0x3c6ef372 | 0, length = 0;
  const self: Digest = {
    bytes(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), whole = bytes.length & ~3;
      for (let i = 0; i < whole; i += 4) mix(view.getInt32(i, true));
      if (whole < bytes.length) {
        let tail = 0;
        for (let i = whole; i < bytes.length; i++) tail |= bytes[i]! << (8 * (i - whole));
        mix(tail);
      }
      length = (length + bytes.length) | 0;
      return self;
    },
    text(text) {
      const bytes = new TextEncoder().encode(text);
      mix(bytes.length);
      return self.bytes(bytes);
    },
    hex: () => word(finish(a ^ length)) + word(finish(b ^ Math.imul(length, 0x85ebca6b))),
  };
  function mix(k: number): void {
    const m = Math.imul(k, 0xcc9e2d51), n = Math.imul((m << 15) | (m >>> 17), 0x1b873593);
    a ^= n, a = (a << 13) | (a >>> 19), a = (Math.imul(a, 5) + 0xe6546b64) | 0;
    b ^= n + k | 0, b = (b << 11) | (b >>> 21), b = (Math.imul(b, 9) + 0x38495ab5) | 0;
  }
  return self;
}

function finish(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function word(h: number): string {
  return (h >>> 0).toString(16).padStart(8, "0");
}
