/** Noting the data that a rank has sharded over a group, for the ranks to compare. @module */

import { bytesOf } from "../../../bytes.ts";
import * as tf from "../../../dependencies/tfjs.ts";
import { canonical } from "../../../transport/handshake.ts";
import { type Digest, digest } from "../../files/digest.ts";
import { noteSharded } from "../agreement/sharded.ts";
import type { Dataset } from "../variables/tfjs.ts";
import { type Place, select, type Shardable } from "./shardable.ts";

/** The most rows that are compared, evenly spread. Data that were shuffled differently differ in some of them. */
const compared = 256;

/**
 * Notes what was sharded, if the place is a group: the ranks of its optimizers compare it before their next step. A
 * digest of 256 rows takes less than a millisecond, however many rows there are.
 *
 * @param rows how many rows the data have
 * @param order the options that the order was made with
 */
export function noteData(data: Exclude<Shardable, Dataset>, rows: number, place: Place, order: object): void {
  if (!("perform" in place) || place.size === 1) return;
  const count = Math.min(rows, compared), picked = new Int32Array(count).map((_, i) => Math.floor(i * rows / count));
  const sum = digest().text(canonical(order));
  addRows(sum, select(data, picked), true);
  noteSharded(place, `${rows} rows, ${sum.hex()}`);
}

/**
 * Mixes rows into a digest: the values of numbers and texts, and only the type of everything else.
 *
 * @param own whether to dispose of tensors afterwards
 */
function addRows(sum: Digest, rows: unknown, own = false): void {
  if (rows instanceof tf.Tensor) {
    const numbers = rows.dtype === "string"
      ? new TextEncoder().encode(JSON.stringify(rows.arraySync()))
      : rows.dataSync();
    sum.text(`${rows.dtype} [${rows.shape}]`).bytes(bytesOf(numbers));
    if (own) rows.dispose();
  } else if (ArrayBuffer.isView(rows)) {
    sum.text(rows.constructor.name).bytes(bytesOf(rows));
  } else if (Array.isArray(rows)) {
    sum.text(`${rows.length}`);
    for (const row of rows) addRows(sum, row);
  } else if (
    typeof rows === "object" && rows !== null && [Object.prototype, null].includes(Object.getPrototypeOf(rows))
  ) {
    for (const [name, value] of Object.entries(rows)) sum.text(name), addRows(sum, value, own);
  } else {
    sum.text(typeof rows === "object" || typeof rows === "function" ? typeof rows : String(rows));
  }
}
