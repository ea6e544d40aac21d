/** Random choices of one case, made from a key, so that the case can be made again. @module */

import { bits, type Key } from "../../random.ts";

const WORDS = 16;

/** Choices from a key's stream. */
export class Draw {
  #key: Key = [0, 0];
  #words = new Uint32Array(WORDS);
  #at = 0;
  #from = 0;

  /** Starts over with the stream of a key. */
  reset(key: Key): void {
    this.#key = key, this.#at = WORDS, this.#from = 0;
  }

  /** 32 random bits. */
  word(): number {
    if (this.#at === WORDS) {
      bits(this.#key, this.#words, this.#from);
      this.#at = 0, this.#from += WORDS;
    }
    return this.#words[this.#at++]!;
  }

  /** An integer from 0 to `below` − 1. */
  below(below: number): number {
    return Math.floor(this.word() * 2 ** -32 * below);
  }

  /** One of some values. */
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** True in one of `times` cases. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}
