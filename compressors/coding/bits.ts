/** Bit packing, most significant bit first, and the universal codes built on it. @module */

/** Appends bits to a byte array, most significant bit first. Bytes past the last whole one are zero-padded by `finish`. */
export class BitWriter {
  #bytes: Uint8Array;
  #at: number;
  #word = 0;
  #free = 8;

  /** Starts at byte `at` of `bytes`. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The bits written so far, from the array's start. */
  get position(): number {
    return 8 * this.#at + 8 - this.#free;
  }

  /** Goes on at a bit of the array; the bits before it in its byte are kept. */
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

  /** Pads the last byte with zeros and returns the position after it: the bytes written so far, from the array's start. */
  finish(): number {
    if (this.#free < 8) this.write(0, this.#free);
    return this.#at;
  }
}

/** Reads bits from a byte array, most significant bit first. */
export class BitReader {
  #bytes: Uint8Array;
  #at: number;
  #word = 0;
  #left = 0;

  /** Starts at byte `at` of `bytes`. */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The bits read so far, from the array's start. */
  get position(): number {
    return 8 * this.#at - this.#left;
  }

  /** Goes on at a bit of the array. */
  seek(position: number): void {
    this.#at = position >>> 3;
    this.#left = 0;
    const skipped = position & 7;
    if (skipped > 0) {
      // Past the end the next read will say so.
      if (this.#at < this.#bytes.length) this.#word = this.#bytes[this.#at]!;
      this.#at++, this.#left = 8 - skipped;
    }
  }

  /**
   * The next `count` bits as an integer (0 ≤ count ≤ 32).
   *
   * @throws {RangeError} if the bytes end before
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
    // count ≤ 8 here, so the shifts stay in range.
    return ((value << count) | ((this.#word >>> this.#left) & ((1 << count) - 1))) >>> 0;
  }

  /**
   * The number of ones before the next zero, which is consumed.
   *
   * @throws {RangeError} if there are more than `most` or the bytes end before
   */
  unary(most: number): number {
    let ones = 0;
    while (this.read(1) === 1) {
      if (++ones > most) throw new RangeError(`Cannot read the message: a unary code exceeds ${most}`);
    }
    return ones;
  }

  /**
   * Checks that only zero padding of less than a byte is left.
   *
   * @throws {RangeError} if there is more
   */
  end(): void {
    if (this.#at !== this.#bytes.length || (this.#word & ((1 << this.#left) - 1)) !== 0) {
      throw new RangeError(
        `Cannot read the message: it has ${this.#bytes.length} bytes, expected an end with zero padding after ${this.#at}`,
      );
    }
  }
}
