/** Wrong changes of keys, problems and LIBSVM text. @module */

import type { Mutant } from "./mutant.ts";

const at = (name: string) => `${name}.ts`;
const test = (name: string, part?: string) => `${name}_test.ts${part === undefined ? "" : `#${part}`}`;
const keys = [test("keys")], draws = [test("draws")], sampled = [test("sampled")];
const libsvm = [test("libsvm")];

/** Keys that do not depend on what they are folded with, in a whole file: encoder and decoder agree. */
const imported = 'import { fold } from "../../../random.ts";';
const unfolded = 'import type { Key } from "../../../random.ts";\nconst fold = (key: Key, _of: number): Key => key;';

/** [what is wrong, the file, what stands there, what stands there then, who must notice] */
const changes: [name: string, file: string, find: string, replace: string, tests: readonly string[]][] = [
  // Keys.
  ["keys: other uses are folded as steps and ranks are", at("keys"), "const USE = 2;", "const USE = 1;", keys],
  [
    "keys: steps come round after 2³⁰",
    at("keys"),
    "parent = step < LATER ? root :",
    "parent = step < Infinity ? root :",
    keys,
  ],
  ["keys: rows are shared out by a step's key", at("keys"), "ROWS = 0x73686172", "ROWS = 0x172", keys],
  ["keys: rank 0's is the one that all share", at("keys"), "fold(ofStep, rank + 1)", "fold(ofStep, rank)", keys],
  ["keys: all ranks have one", at("keys"), "fold(ofStep, rank + 1)", "fold(ofStep, 1 + 0 * rank)", keys],
  ["keys: the seed does not matter", at("keys"), "const root = key(seed),", "const root = key(seed * 0),", keys],
  ["minimise: terms are drawn from a step's key", at("minimise"), 'keyFor(seed, "batches")', "fold(seed, 0x7e4)", keys],
  [
    "minimise: all ranks draw the same terms",
    at("minimise"),
    'fold(fold(keyFor(seed, "batches"), round), rank)',
    'fold(fold(keyFor(seed, "batches"), round), 0 * rank)',
    [test("minimise", "every rank draws")],
  ],
  [
    "minimise: all rounds draw the same terms",
    at("minimise"),
    'fold(fold(keyFor(seed, "batches"), round), rank)',
    'fold(fold(keyFor(seed, "batches"), 0 * round), rank)',
    [test("minimise", "every rank draws")],
  ],
  [
    "fedAvg: who takes part is drawn from the shared key itself",
    at("sampling"),
    'keyFor(keysAt(first).shared, "members")',
    "keysAt(first).shared",
    keys,
  ],
  [
    "fedAvg: who takes part is drawn anew in every step",
    at("sampling"),
    "const first = step - step % every;",
    "const first = step + 0 * every;",
    sampled,
  ],
  [
    "vrDiana: all ranks draw the table's terms alike",
    at("vr_diana"),
    'keyFor(keyOf(rank), "term")',
    'keyFor(keyOf(0 * rank), "term")',
    draws,
  ],
  [
    "vrDiana: the reference point moves half as often",
    at("vr_diana"),
    "refresh = 1 / terms",
    "refresh = 1 / (2 * terms)",
    draws,
  ],
  [
    "vrDiana: the reference point moves as each rank's own key says",
    at("vr_diana"),
    "bernoulli(context.shared, refresh)",
    "bernoulli(context.keyOf(context.rank), refresh)",
    draws,
  ],
  [
    "structuredUpdate: one subspace for all ranks",
    at("structured_update"),
    "keyFor(keys.keyOf(of), ",
    "keyFor(keys.keyOf(0 * of), ",
    draws,
  ],
  [
    "structuredUpdate: a subspace for each step",
    at("structured_update"),
    "context.keysAt(step - step % localSteps)",
    "context.keysAt(step + 0 * localSteps)",
    draws,
  ],
  [
    "adiana: both messages under one key",
    at("adiana"),
    "encode(compressor, atW, context, 1)",
    "encode(compressor, atW, context, 0)",
    draws,
  ],
  ["ef21+: both attempts under one key", at("ef21"), imported, unfolded, draws],
  ["two ways: all stripes under one key", at("bidirectional"), imported, unfolded, draws],
  [
    "mean: all messages of a step under one key",
    at("parts/mean"),
    "fold(keyOf(rank), part)",
    "fold(keyOf(rank), 0 * part)",
    draws,
  ],
  [
    "scaffold: movement and turn under one key",
    at("scaffold"),
    "encode(compressor, turned, context, 1)",
    "encode(compressor, turned, context, 0)",
    draws,
  ],
  ["perLayer: all methods under one key", at("per_layer"), imported, unfolded, draws],

  // Problems and text.
  [
    "logistic: a third class is the second",
    at("regression"),
    "if (classes.push(label) > 2) {",
    "if (classes.push(label) > 9) {",
    [test("regression")],
  ],
  [
    "logistic: one class is −1 whatever its sign",
    at("regression"),
    "classes[0]! > 0 ? NaN : classes[0]",
    "classes[0]! > 0 ? classes[0] : classes[0]",
    [test("regression")],
  ],
  ["quadratic: takes matrices that are not symmetric", at("quadratic"), "<= 1e-9 * largest", "<= 9 * largest", [
    test("quadratic"),
  ]],
  [
    "problem: the largest term is that of the mean",
    at("linear_model"),
    "largestTermSmoothness: largestTerm,",
    "largestTermSmoothness: constants.largestSmoothness + 0 * largestTerm,",
    [test("linear_model")],
  ],
  [
    "problem: terms that are not there count as the first",
    at("linear_model"),
    "part[terms ? terms[t]! : t];",
    "part[terms ? terms[t]! : t] ?? part[0];",
    [test("linear_model")],
  ],
  ["minimise: a step size of infinity", at("minimise"), "step > 0 && step < Infinity", "step > 0", [test("minimise")]],
  ["rows: indices beyond the features", at("check_rows"), "indices[e]! < features", "indices[e]! <= features", [
    test("check_rows"),
  ]],
  ["libsvm: indices wrap at 2³²", at("libsvm"), "if (index > most) bad", "if (index > most * 2 ** 40) bad", libsvm],
  ["libsvm: an index may come twice", at("libsvm"), "if (index <= last) {", "if (index < last) {", libsvm],
  ["libsvm: indices from 0", at("libsvm"), "if (index === 0) bad", "if (index < 0) bad", libsvm],
  [
    "libsvm: lines count from 0",
    at("libsvm"),
    "for (let from = 0, number = 1;",
    "for (let from = 0, number = 0;",
    libsvm,
  ],
  [
    "libsvm: hexadecimal numbers",
    at("libsvm"),
    "if (!decimal.test(text)) bad",
    "if (Number.isNaN(Number(text))) bad",
    libsvm,
  ],
  [
    "libsvm: infinite values",
    at("libsvm"),
    "return Number.isFinite(Number(text)) ? Number(text)",
    "return !Number.isNaN(Number(text)) ? Number(text)",
    libsvm,
  ],
  ["libsvm: comments are read", at("libsvm"), 'line.indexOf("#")', 'line.indexOf("##")', libsvm],
];

export default changes.map(([name, file, find, replace, tests]) => ({
  name,
  file,
  find,
  replace,
  tests,
})) satisfies Mutant[];
