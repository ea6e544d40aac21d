/** Bits of a byte array, written and read one after the other, the most significant bit of a byte first. @module */

/** Writes bits to a byte array. The last byte is written by {@linkcode BitWriter.finish}. */
export class BitWriter {
  readonly #bytes: Uint8Array;
  #at: number;
  /** The bits of the byte that is not written yet, and how many it has room for. */
  #word = 0;
  #free = 8;

  /** Starts at byte `at` of `bytes`. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The position after the last bit, counted from the array's start. */
  get position(): number {
    return 8 * this.#at + 8 - this.#free;
  }

  /** Continues at a bit of the array. The bits before it in its byte are kept. */
  seek(position: number): void {
    this.#at = position >>> 3;
    this.#free = 8 - (position & 7);
    this.#word = this.#free === 8 ? 0 : this.#bytes[this.#at]! >>> this.#free;
  }

  /** Appends the lowest `count` bits of `value` (0 ≤ count ≤ 32, value an integer below 2³²). */
  write(value: number, count: number): void {
    while (count >= this.#free) {
      count -= this.#free;
      this.#bytes[this.#at++] = (this.#word << this.#free) | ((value >>> count) & (0xff >>> (8 - this.#free)));
      this.#word = 0, this.#free = 8;
    }
    if (count > 0) {
      this.#word = (this.#word << count) | (value & ((1 << count) - 1));
      this.#free -= count;
    }
  }

  /** Appends `ones` ones and a zero. */
  unary(ones: number): void {
    for (; ones >= 24; ones -= 24) this.write(0xffffff, 24);
    this.write((1 << (ones + 1)) - 2, ones + 1);
  }

  /** Fills the last byte with zeros and returns the position after it, in bytes from the array's start. */
  finish(): number {
    if (this.#free < 8) this.write(0, this.#free);
    return this.#at;
  }
}

/** Reads bits from a byte array. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  /** The byte before `#at`, and how many of its bits are not read yet. */
  #word = 0;
  #left = 0;

  /** Starts at byte `at` of `bytes`. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The position of the next bit, counted from the array's start. */
  get position(): number {
    return 8 * this.#at - this.#left;
  }

  /** Continues at a bit of the array. */
  seek(position: number): void {
    this.#at = position >>> 3;
    this.#left = 0;
    const skipped = position & 7;
    if (skipped > 0) {
      // If this is past the end, the next read throws.
      if (this.#at < this.#bytes.length) this.#word = this.#bytes[this.#at]!;
      this.#at++, this.#left = 8 - skipped;
    }
  }

  /**
   * The next `count` bits as an integer (0 ≤ count ≤ 32).
   *
   * @throws {RangeError} if there are fewer
   */
  read(count: number): number {
    let value = 0;
    while (count > this.#left) {
      value = ((value << this.#left) | (this.#word & ((1 << this.#left) - 1))) >>> 0;
      count -= this.#left;
      if (this.#at >= this.#bytes.length) {
        throw new RangeError(`Cannot read the message: it ends after ${this.#bytes.length} bytes, expected more`);
      }
      this.#word = this.#bytes[this.#at++]!, this.#left = 8;
    }
    this.#left -= count;
    // At most 8 bits are left to read, so the shifts stay in range.
    return ((value << count) | ((this.#word >>> this.#left) & ((1 << count) - 1))) >>> 0;
  }

  /**
   * The number of ones before the next zero; both are read.
   *
   * @throws {RangeError} if there are more than `most`, or no zero follows
   */
  unary(most: number): number {
    let ones = 0;
    while (this.read(1) === 1) {
      if (++ones > most) throw new RangeError(`Cannot read the message: a unary code exceeds ${most}`);
    }
    return ones;
  }

  /**
   * Checks that nothing is left but less than a byte of zeros.
   *
   * @throws {RangeError} if more is left
   */
  end(): void {
    if (this.#at !== this.#bytes.length || (this.#word & ((1 << this.#left) - 1)) !== 0) {
      throw new RangeError(
        `Cannot read the message: it has ${this.#bytes.length} bytes, expected an end with zero padding after ${this.#at}`,
      );
    }
  }
}
