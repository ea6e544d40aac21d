/** Texts: calls of compressors and methods, and LIBSVM rows. @module */

import { parseCompressor } from "../../compressors/mod.ts";
import { parseMethod, readLibsvm } from "../../optimizers/mod.ts";
import { configurations } from "../compressors/everywhere/everywhere.ts";
import { accepts, type Area, type Try } from "./area.ts";
import type { Draw } from "./draw.ts";

const METHODS = ["average(identity)", "errorFeedback(topK({ k: 3 }), { delay: 1 })", "localSgd({ every: 3 })"];
const PIECES =
  "( ) { } [ ] , : \" ' k 1 -1 .5 1e3 1e999 true false null NaN __proto__ constructor toString identity topK topk"
    .split(" ").concat("levels average \\ \u0000 \u2028 é 💥 0x1 - + .. randK bucketed 9007199254740993".split(" "));
const LIBSVM = "+1 1:0.5 3:2 # x\n-1 2:1\n0 1:1e-3 7:-4\n";
const ROWS =
  "1 -1 +1 0 1:1 2:.5 3:-1e3 0:1 -1:2 1:nan 1:Infinity 4294967296:1 99999999999999999999:1 1:0x10 1: :1 : # \n \r\n \t"
    .split(" ").concat(["1:1:1", "１:1", "1:1e999", "\u0000", " ", "label", "1_0:1", "2:1 1:1"]);

/** A text with some of its parts changed. */
function changed(text: string, pieces: readonly string[], draw: Draw): string {
  for (let faults = 1 + draw.below(4); faults > 0; faults--) {
    const at = draw.below(text.length + 1), end = draw.once(2) ? at : Math.min(text.length, at + draw.below(9));
    text = text.slice(0, at) + (draw.once(9) ? text.slice(0, draw.below(60)) : draw.of(pieces)) + text.slice(end);
  }
  return text;
}

/** Deeply nested, or long. */
function extreme(draw: Draw): string {
  const open = draw.of(["topK(", "{a:", "[", "contractive(", "list({x:[", "(", "repeated(identity, "]);
  return "identity(" + open.repeat(draw.of([10, 1000, 20000])) + (draw.once(2) ? ")" : "");
}

function tryLibsvm(draw: Draw, note: (input: unknown) => void): boolean {
  const text = draw.once(2)
    ? changed(LIBSVM, ROWS, draw)
    : Array.from({ length: draw.below(9) }, () => draw.of(ROWS)).join(draw.of([" ", "\n", " 1:1 "]));
  const given = draw.once(4) ? { features: draw.of([0, 3, 9]) } : {};
  note({ libsvm: text, ...given });
  let rows: ReturnType<typeof readLibsvm> | undefined;
  if (!accepts(() => void (rows = readLibsvm(text, given)))) return false;
  const { features, labels, starts, indices, values } = rows!;
  const sound = labels.every(Number.isFinite) && values.every(Number.isFinite) && indices.every((i) => i < features) &&
    starts.length === labels.length + 1 && starts.at(-1) === indices.length && indices.length === values.length;
  if (!sound || Math.max(-1, ...indices) >= features) throw new Error(`it read ${Deno.inspect(rows)}`);
  return true;
}

const prepare = (): Try => (draw, note) => {
  if (draw.once(2)) return tryLibsvm(draw, note);
  const method = draw.once(3), start = method ? draw.of(METHODS) : draw.of(configurations);
  const text = draw.once(300)
    ? extreme(draw)
    : draw.once(4)
    ? Array.from({ length: draw.below(12) }, () => draw.of(PIECES)).join(draw.of(["", " "]))
    : changed(start, PIECES, draw);
  note({ text: text.length < 2000 ? text : `${text.slice(0, 2000)}… of ${text.length}` });
  return accepts(() => void (method ? parseMethod(text) : parseCompressor(text)));
};

/** Texts that users write, and files of text. */
export const texts: Area = { name: "texts", share: 8, prepare };
