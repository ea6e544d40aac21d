/** Slots: the variables in which an inner optimizer remembers, to be read and written to the last bit. @module */

import { bytesOf } from "../../../bytes.ts";
import * as tf from "../../../dependencies/tfjs.ts";
import { canonical } from "../../../transport/handshake.ts";
import { digest } from "../../files/digest.ts";
import { hasArrays, isOwn, tensorsIn } from "./own_memory.ts";
import type { Optimizer, Variable } from "./tfjs.ts";

/** One variable of an inner optimizer, such as the moment of a weight or Adam's running power of β. */
export interface Slot {
  /** The optimizer's field, followed by the position where the field is a list: "accumulatedFirstMoment.3". */
  readonly name: string;
  /** The variable's shape. */
  readonly shape: readonly number[];
  /** The variable's numbers, row by row. */
  readonly values: Float32Array;
}

/** All that an inner optimizer remembers. */
export interface Slots {
  /** The name by which tfjs registers the optimizer's class, for instance "Adam". */
  readonly className: string;
  /** The options that the optimizer was made with, and its learning rate as it is now. */
  readonly config: Readonly<Record<string, unknown>>;
  /** How many steps the optimizer has taken. */
  readonly iterations: number;
  /** The numbers in the fields of an optimizer whose class a user wrote, except for those in its configuration. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** The optimizer's variables. */
  readonly slots: readonly Slot[];
}

type Entry = { originalName: string; variable: tf.Variable };
type Fields = Record<string, unknown> & { learningRate?: number; setLearningRate?(rate: number): void };

/**
 * Reads all that an optimizer remembers from its fields. tfjs's `getWeights` cannot serve: it throws for Adamax, and
 * after `setWeights` Adam's powers of β are computed anew and differ in the last bits.
 */
export function readSlots(optimizer: Optimizer): Slots {
  const slots: Slot[] = [];
  for (const [property, value] of Object.entries(optimizer)) {
    if (value instanceof tf.Variable) slots.push(slot(property, value));
    else if (isList(value)) value.forEach(({ variable }, i) => slots.push(slot(`${property}.${i}`, variable)));
  }
  const config = optimizer.getConfig() as Record<string, unknown>;
  const numbers = isOwn(optimizer) ? fieldNumbers(optimizer, config) : {};
  return {
    ...{ className: optimizer.getClassName(), config, iterations: optimizer.iterations, slots },
    ...Object.keys(numbers).length > 0 && { numbers },
  };
}

/** The numbers in an optimizer's fields that change from step to step: those that its configuration does not name. */
function fieldNumbers(optimizer: Optimizer, config: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(optimizer).filter((entry): entry is [string, number] => {
      const [name, value] = entry;
      return typeof value === "number" && name !== "iterations_" && name !== "learningRate" &&
        !Object.hasOwn(config, name);
    }),
  );
}

/**
 * Refuses an optimizer whose class a user wrote and that keeps memory where a checkpoint cannot hold it.
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
    if (value instanceof tf.Variable || isList(value)) continue;
    // tfjs's SGD and Momentum keep one number of their configuration as a tensor, in `c` and `m`.
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
 * Makes an optimizer remember what another of its class did. A list that `Slots` has no entry of is emptied, as it is
 * before the first step. Call `checkSlots` first.
 */
export function writeSlots(optimizer: Optimizer, { config, iterations, numbers = {}, slots }: Slots): void {
  const fields: Fields = Object.assign(optimizer, numbers) as unknown as Fields, lists = new Map<string, Entry[]>();
  for (const [property, value] of Object.entries(optimizer)) if (isList(value)) lists.set(property, []);
  for (const { name, shape, values } of slots) {
    const [property, index] = name.split(".") as [string, string | undefined];
    // A copy, because on the cpu backend the variable shares the memory that it is made from.
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

/** A digest of all numbers that an optimizer remembers: equal on two ranks if the numbers are. */
export function slotsDigest({ iterations, numbers, slots }: Slots): string {
  const sum = digest().text(`${iterations}`);
  if (numbers) sum.text(canonical(numbers));
  for (const { name, shape, values } of slots) {
    sum.text(`${name}[${shape}]`).bytes(bytesOf(values));
  }
  return sum.hex();
}

/** Sets an optimizer's learning rate. SGD and Momentum keep it in a tensor too, and have a method that sets both. */
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
 * Compares slots with those that an optimizer needs: its class and options (the learning rate may differ), and the name
 * and shape of every variable. Which variables tfjs's own classes need is known; for a class that a user wrote, the
 * lists that it has are compared with one another.
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
  const kept = isOwn(optimizer) ? fieldNumbers(optimizer, mine) : {}, given = state.numbers ?? {};
  for (const name of new Set([...Object.keys(kept), ...Object.keys(given)])) {
    const [theirs, ours] = [given, kept].map((numbers) => Object.hasOwn(numbers, name) ? "a number" : "absent");
    if (theirs !== ours) refuse(`its field ${name}`, theirs, ours);
  }
  const theirs = new Map(slots.map(({ name, shape }) => [name, `[${shape}]`]));
  if (theirs.size !== slots.length) refuse("one of its slots", "present twice", "present once");
  // Variables that belong to the optimizer and not to a trained variable, for instance Adam's running powers of β.
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
    // A file has the entries in the order of the list, so that a missing one shows in the index of the next.
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

/**
 * The variables that an optimizer keeps and their names: the name of a field, followed by a number where the field
 * holds several. Unlike `readSlots` it copies no numbers, and it finds variables in any place where a user's class may
 * keep them.
 */
export function slotsByName(optimizer: Optimizer): [name: string, variable: Variable][] {
  const single = Object.entries(optimizer).filter(([, value]) => value instanceof tf.Variable) as [string, Variable][];
  const lists = slotLists(optimizer), listed = new Set<unknown>(lists.map(([, list]) => list));
  const named = lists.flatMap(([property, list]) =>
    list.flatMap((entry, i): [string, Variable][] => entry ? [[`${property}.${i}`, entry.variable]] : [])
  );
  if (!isOwn(optimizer)) return [...single, ...named];
  // Numbers in place of a container's keys, for a key may be a variable's name, which differs from rank to rank.
  const others = Object.entries(optimizer).flatMap(([property, value]) => {
    if (value instanceof tf.Tensor || listed.has(value)) return [];
    const variables = tensorsIn(value).filter((tensor): tensor is Variable => tensor instanceof tf.Variable);
    return variables.map((variable, i): [string, Variable] => [`${property}.${i}`, variable]);
  });
  return [...single, ...named, ...others];
}

/** The fields of an optimizer that are lists of slots. A list may be empty, and lacks the slots of unused variables. */
export function slotLists(
  optimizer: Optimizer,
): [property: string, list: ({ readonly variable: Variable } | undefined)[]][] {
  return Object.entries(optimizer).filter(([, value]) =>
    Array.isArray(value) && value.every((entry) => !entry || entry.variable instanceof tf.Variable)
  );
}
