/** What a tfjs optimizer remembers, to the last bit. @module */

import * as tf from "@tensorflow/tfjs";
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
  return { className: optimizer.getClassName(), config, iterations: optimizer.iterations, slots };
}

/**
 * Gives an optimizer the state that another of its class had.
 *
 * @throws {Error} if its class or an option other than the learning rate differs
 */
export function writeSlots(optimizer: Optimizer, { className, config, iterations, slots }: Slots): void {
  checkSlots(optimizer, { className, config, iterations, slots });
  const fields = optimizer as unknown as Fields, lists = new Map<string, Entry[]>();
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

/** SGD and Momentum hold their rate in a tensor too, and have a method to set both. */
export function setLearningRate(optimizer: Optimizer, rate: number): void {
  const fields = optimizer as unknown as Fields;
  if (fields.setLearningRate) fields.setLearningRate(rate);
  else fields.learningRate = rate;
}

/** What `writeSlots` refuses. */
export function checkSlots(optimizer: Optimizer, { className, config, slots }: Slots): void {
  const refuse = (what: string, theirs: unknown, mine: unknown): never => {
    throw new Error(`Cannot restore the inner optimizer: ${what} is ${theirs} in the checkpoint, ${mine} here`);
  };
  if (className !== optimizer.getClassName()) refuse("its class", className, optimizer.getClassName());
  const mine = optimizer.getConfig() as Record<string, unknown>;
  for (const option of new Set([...Object.keys(mine), ...Object.keys(config)])) {
    if (option !== "learningRate" && mine[option] !== config[option]) refuse(option, config[option], mine[option]);
  }
  for (const { name } of slots) {
    const property = name.split(".")[0]!, field = (optimizer as unknown as Fields)[property];
    if (!(field instanceof tf.Variable || (name !== property && Array.isArray(field)))) {
      refuse(`slot ${name}`, "present", "unknown");
    }
  }
}

function slot(name: string, variable: tf.Variable): Slot {
  return { name, shape: variable.shape, values: variable.dataSync<"float32">().slice() };
}

function isList(value: unknown): value is Entry[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => entry?.variable instanceof tf.Variable);
}
