/**
 * Whatever a factory of a compressor or a method is called with, by callers whom the types do not reach, it either makes
 * something or says in words what is wrong, before any step. @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert/mod.js";
import { type Factories, identity, parse, parseCompressor } from "../compressors/mod.ts";
import * as compressors from "../compressors/factories.ts";
import { average, parseMethod } from "../optimizers/mod.ts";
import * as methodFactories from "../optimizers/methods/factories.ts";
import { configurations } from "./compressors/everywhere/everywhere.ts";
import { methods, wordsFor } from "./optimizers/all_methods.ts";

type Factory = (...values: unknown[]) => unknown;
interface Call {
  readonly name: string;
  readonly values: readonly unknown[];
}

const layout = { names: ["a", "b"], shapes: [[64, 16], [7]], size: 1031 };
/** Calls of compressors with what their own table does not name. */
const more = [
  "subtractiveDithering({ omega: 4, states: 8, keep: 0.5 })",
  "sphericalCompression({ alpha: 0.5, budget: 40 })",
  "bernoulli({ p: 0.1, whole: true })",
  'sparseDithering({ nu: 0.1, rounding: "nearest", coding: "entropy", scale: "log", centroids: true, rateDistortion: 1 })',
];
const factories = { ...compressors, ...methodFactories } as unknown as Record<string, Factory>;

/** The outermost call of a text. */
function callOf(text: string): Call {
  const name = text.split("(")[0]!;
  const table = { ...wordsFor(layout), [name]: (...values: unknown[]) => ({ name, values }) };
  // An inner call of the same name would be taken as well: none has one.
  return parse(text, table as unknown as Factories<unknown>, "call") as Call;
}

const calls = [...configurations, ...more, "none", ...methods.map(({ text }) => text)].map(callOf);

/** Whether it is a compressor or a method. */
const isMade = (value: unknown): value is { readonly name: string } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && ("encode" in value || "reduce" in value);
/** Whether it is an object of options. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isMade(value);

/** Values in place of one that is right. Every factory must refuse all of them wherever they stand. */
function wrong(right: unknown): unknown[] {
  const values: unknown[] = [null, NaN, -1, [], () => {}];
  if (typeof right !== "string") values.push("text", "1");
  else values.push("no such choice");
  if (typeof right === "boolean") values.push(0, 1, "false");
  else values.push(true, false);
  if (typeof right === "number") values.push(-Infinity, 0.5 - 1e9);
  if (isObject(right)) {
    values.push({ noSuchOption: 1 }, identity(), average());
    // A layout is no options: it may say more.
    if (!("shapes" in right)) values.push({ ...right, noSuchOption: 1 });
  }
  if (!isObject(right)) values.push({});
  return values;
}

/** An argument, in short. */
function written(value: unknown): string {
  if (!isObject(value)) return isMade(value) ? `${value.name}(…)` : Deno.inspect(value);
  return `{ ${Object.entries(value).map(([option, value]) => `${option}: ${written(value)}`).join(", ")} }`;
}

/** The calls that differ from a good one in one place: what stands there, and whether it must be refused. */
function* variants({ name, values }: Call): Generator<{ readonly values: unknown[]; readonly refuse: boolean }> {
  for (const [i, value] of values.entries()) {
    const put = (other: unknown) => values.map((v, j) => i === j ? other : v);
    for (const other of wrong(value)) {
      // A function may be what chooses.
      const chooses = typeof other === "function" && /^per/.test(name) && i === 1;
      yield { values: put(other), refuse: !chooses };
    }
    yield { values: put(undefined), refuse: false };
    yield { values: values.slice(0, i), refuse: false };
    if (!isObject(value)) continue;
    for (const option of Object.keys(value)) {
      for (const other of wrong(value[option])) yield { values: put({ ...value, [option]: other }), refuse: true };
      yield { values: put({ ...value, [option]: undefined }), refuse: false };
    }
  }
  yield { values: [], refuse: false };
}

Deno.test("refusals: every factory is in the table", () => {
  const missing = Object.keys(factories).filter((name) => !calls.some((call) => call.name === name));
  assertEquals(
    missing,
    [],
    "add them to tests/compressors/everywhere/everywhere.ts or tests/optimizers/all_methods.ts",
  );
});

Deno.test("refusals: the calls of the table are good ones", () => {
  for (const { name, values } of calls) factories[name]!(...values);
});

for (const name of Object.keys(factories)) {
  Deno.test(`refusals: ${name} says what is wrong`, () => {
    const mistakes: string[] = [];
    for (const call of calls.filter((call) => call.name === name)) {
      for (const { values, refuse } of variants(call)) {
        const text = () => `${name}(${values.map(written).join(", ")})`;
        try {
          factories[name]!(...values);
          if (refuse) mistakes.push(`${text()} is taken`);
        } catch (error) {
          const worded = (error instanceof TypeError || error instanceof RangeError) &&
            /^Cannot (make|compose) [^:]+: .* is |^Cannot (make|compose) [^:]+: .*, expected/s.test(error.message) &&
            !/undefined \(reading|destructure/.test(error.message);
          if (!worded) mistakes.push(`${text()} throws ${error}`.slice(0, 400));
          else if (!/^Cannot compose/.test((error as Error).message) && !(error as Error).message.includes(name)) {
            mistakes.push(`${text()} blames another: ${(error as Error).message}`);
          }
        }
      }
    }
    assert(mistakes.length === 0, "\n" + mistakes.join("\n"));
  });
}

Deno.test("refusals: texts are refused in words too", () => {
  assertThrows(() => parseMethod("adiana(naturalCompression)"), RangeError, "convexity is undefined");
  assertThrows(() => parseMethod("vrDiana(naturalCompression)"), RangeError, "terms is undefined");
  assertThrows(() => parseCompressor("qsgd"), RangeError, "levels is undefined");
  assertThrows(() => parseCompressor("qsgd({ bits: 2 })"), TypeError, 'no option "bits", expected one of levels');
  assertThrows(() => parseMethod("errorFeedback({ delay: 1 })"), TypeError, "the compressor is an object");
});
