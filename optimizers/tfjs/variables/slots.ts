/** What a tfjs optimizer remembers, to the last bit. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import { canonical } from "../../../transport/handshake.ts";
import { digest } from "../../files/digest.ts";
import { hasArrays, isOwn, tensorsIn } from "./own_memory.ts";
import type { Optimizer } from "./tfjs.ts";

/** One variable of an optimizer: a moment of a weight, a running power of β. */
export interface Slot {
  /** The optimizer's property, and the position in it where it is a list: "accumulatedFirstMoment.3". */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its numbers. */
  readonly values: Float32Array;
}

/** The state of a tfjs optimizer. */
export interface Slots {
  /** The class name that tfjs registers it by, for instance "Adam". */
  readonly className: string;
  /** What its constructor was called with, and the learning rate as it is now. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Steps it has taken. */
  readonly iterations: number;
  /** Numbers that an optimizer of a user's own keeps in fields, those of its configuration apart. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Its variables. */
  readonly slots: readonly Slot[];
}

type Entry = { originalName: string; variable: tf.Variable };
type Fields = Record<string, unknown> & { learningRate?: number; setLearningRate?(rate: number): void };

/**
 * Reads an optimizer's state from its own fields. tfjs's `getWeights` would not do: it throws on Adamax, and after
 * `setWeights` Adam's powers of β are recomputed and differ in the last bits.
 */
export function readSlots(optimizer: Optimizer): Slots {
  const slots: Slot[] = [];
  for (const [property, value] of Object.entries(optimizer)) {
    if (value instanceof tf.Variable) slots.push(slot(property, value));
    else if (isList(value)) value.forEach(({ variable }, i) => slots.push(slot(`${property}.${i}`, variable)));
  }
  const config = optimizer.getConfig() as Record<string, unknown>;
  const numbers = isOwn(optimizer) ? numbersOf(optimizer, config) : {};
  return {
    ...{ className: optimizer.getClassName(), config, iterations: optimizer.iterations, slots },
    ...Object.keys(numbers).length > 0 && { numbers },
  };
}

/** The numbers in an optimizer's fields that say how far it is: those that its configuration tells apart. */
function numbersOf(optimizer: Optimizer, config: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(optimizer).filter((entry): entry is [string, number] => {
      const [name, value] = entry;
      return typeof value === "number" && name !== "iterations_" && name !== "learningRate" &&
        !Object.hasOwn(config, name);
    }),
  );
}

/**
 * Refuses an optimizer of a user's own whose memory a checkpoint cannot hold: part of it would be missing afterwards.
 *
 * @throws {TypeError} that names the field
 */
export function requireStorable(optimizer: Optimizer): void {
  const refuse = (why: string) => {
    throw new TypeError(`Cannot read the state of the inner optimizer: ${why}`);
  };
  if (!isOwn(optimizer)) return;
  const { name } = optimizer.constructor, className = optimizer.getClassName();
  if (typeof className !== "string") refuse(`its class ${name} has no name, expected static className = "${name}"`);
  for (const [property, value] of Object.entries(optimizer)) {
    // The one number that tfjs's SGD and what extends it keep as a tensor is made from its configuration.
    if (value instanceof tf.Variable || isList(value)) continue;
    if (Object.prototype.isPrototypeOf.call(tf.SGDOptimizer.prototype, optimizer) && ["c", "m"].includes(property)) {
      continue;
    }
    if (tensorsIn(value).length === 0 && !hasArrays(value)) continue;
    refuse(
      `${name} keeps numbers in its field ${property} that no checkpoint can hold. Expected fields that are variables, ` +
        "lists of { originalName, variable }, or single numbers",
    );
  }
}

/**
 * Gives an optimizer the state that another of its class had. A list of which the state has nothing is emptied, as it is
 * before the first step. Call `checkSlots` first.
 */
export function writeSlots(optimizer: Optimizer, { config, iterations, numbers = {}, slots }: Slots): void {
  const fields: Fields = Object.assign(optimizer, numbers) as unknown as Fields, lists = new Map<string, Entry[]>();
  for (const [property, value] of Object.entries(optimizer)) if (isList(value)) lists.set(property, []);
  for (const { name, shape, values } of slots) {
    const [property, index] = name.split(".") as [string, string | undefined];
    // A copy, because on the cpu backend the variable shares the memory it is made from.
    const value = tf.tensor(values.slice(), shape.slice(), "float32");
    if (index === undefined) {
      (fields[property] as tf.Variable).assign(value);
    } else {
      const list = lists.get(property) ?? [];
      lists.set(property, list);
      list[Number(index)] = { originalName: name, variable: tf.variable(value, false) };
    }
    value.dispose();
  }
  for (const [property, list] of lists) {
    if (isList(fields[property])) fields[property].forEach(({ variable }) => variable.dispose());
    fields[property] = list;
  }
  fields["iterations_"] = iterations;
  const rate = config["learningRate"];
  if (typeof rate === "number" && rate !== fields.learningRate) setLearningRate(optimizer, rate);
}

/** A digest of all numbers that an optimizer remembers, for comparisons among ranks. */
export function slotsDigest({ iterations, numbers, slots }: Slots): string {
  const sum = digest().text(`${iterations}`);
  if (numbers) sum.text(canonical(numbers));
  for (const { name, shape, values } of slots) {
    sum.text(`${name}[${shape}]`).bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return sum.hex();
}

/** SGD and Momentum hold their rate in a tensor too, and have a method to set both. */
export function setLearningRate(optimizer: Optimizer, rate: number): void {
  const fields = optimizer as unknown as Fields;
  if (fields.setLearningRate) fields.setLearningRate(rate);
  else fields.learningRate = rate;
}

/** The lists that tfjs's own optimizers keep from their first step on, each with an entry for every variable. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  SGD: [],
  Momentum: ["accumulations"],
  Adagrad: ["accumulatedGrads"],
  Adadelta: ["accumulatedGrads", "accumulatedUpdates"],
  Adam: ["accumulatedFirstMoment", "accumulatedSecondMoment"],
  Adamax: ["accumulatedFirstMoment", "accumulatedWeightedInfNorm"],
  RMSProp: ["accumulatedMeanSquares", "accumulatedMoments"],
};

/**
 * Compares a state with what an optimizer needs: its class and options (the learning rate may differ), and of every
 * variable that it keeps the name and the shape. Of tfjs's own classes it is known which those are; of a class of a
 * user's own, the lists that it has are compared with one another.
 *
 * @param shapes the shapes of the trained variables, where they are known
 * @throws {Error} that names the first difference
 */
export function checkSlots(optimizer: Optimizer, state: Slots, shapes?: readonly (readonly number[])[]): void {
  const { className, config, iterations, slots } = state, fields = optimizer as unknown as Fields;
  const refuse = (what: string, theirs: unknown, mine: unknown): never => {
    throw new Error(`Cannot restore the inner optimizer: ${what} is ${theirs} in the checkpoint, ${mine} here`);
  };
  if (className !== optimizer.getClassName()) refuse("its class", className, optimizer.getClassName());
  const mine = optimizer.getConfig() as Record<string, unknown>;
  for (const option of new Set([...Object.keys(mine), ...Object.keys(config)])) {
    const [theirs, ours] = [canonical(config[option]), canonical(mine[option])];
    if (option !== "learningRate" && theirs !== ours) refuse(option, theirs, ours);
  }
  const kept = isOwn(optimizer) ? numbersOf(optimizer, mine) : {}, given = state.numbers ?? {};
  for (const name of new Set([...Object.keys(kept), ...Object.keys(given)])) {
    const [theirs, ours] = [given, kept].map((numbers) => Object.hasOwn(numbers, name) ? "a number" : "absent");
    if (theirs !== ours) refuse(`its field ${name}`, theirs, ours);
  }
  const theirs = new Map(slots.map(({ name, shape }) => [name, `[${shape}]`]));
  if (theirs.size !== slots.length) refuse("one of its slots", "present twice", "present once");
  // Variables that do not belong to a trained one, for instance the running powers of β.
  for (const [property, value] of Object.entries(optimizer)) {
    if (!(value instanceof tf.Variable)) continue;
    const shape = theirs.get(property) ?? "absent";
    if (shape !== `[${value.shape}]`) refuse(`slot ${property}`, shape, `[${value.shape}]`);
    theirs.delete(property);
  }
  const lists = new Map<string, string[]>();
  for (const [name, shape] of theirs) {
    const [property, index] = name.split(".") as [string, string | undefined];
    const list = lists.get(property) ?? [];
    // Written in the order of the list, so that nothing is missing in it.
    if (!Array.isArray(fields[property]) || index !== `${list.length}`) refuse(`slot ${name}`, shape, "unknown");
    list.push(shape);
    lists.set(property, list);
  }
  if (!Object.hasOwn(LISTS, className)) return;
  const centered = config["centered"] === true ? ["accumulatedMeanGrads"] : [];
  const needed = iterations > 0 ? [...LISTS[className]!, ...centered] : [];
  for (const name of lists.keys()) {
    if (!needed.includes(name)) refuse(`slot ${name}`, "present", `absent after ${iterations} steps`);
  }
  for (const name of needed) {
    const list = lists.get(name) ?? [];
    const expected = shapes?.map((shape) => `[${shape}]`) ?? lists.get(needed[0]!) ?? [];
    if (shapes === undefined && list.length === 0) refuse(`slot ${name}`, "absent", `needed after ${iterations} steps`);
    for (let i = 0; i < Math.max(list.length, expected.length); i++) {
      if (list[i] !== expected[i]) refuse(`slot ${name}.${i}`, list[i] ?? "absent", expected[i] ?? "absent");
    }
  }
}

function slot(name: string, variable: tf.Variable): Slot {
  return { name, shape: variable.shape, values: variable.dataSync<"float32">().slice() };
}

function isList(value: unknown): value is Entry[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => entry?.variable instanceof tf.Variable);
}
