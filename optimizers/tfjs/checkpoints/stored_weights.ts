/** The weights in a checkpoint. @module */

import * as tf from "../../../dependencies/tfjs.ts";
import type { StoredTensor } from "../../files/safetensors.ts";
import type { Variable } from "../variables/tfjs.ts";
import { sameName } from "../variables/variables.ts";

/** One weight of a checkpoint. */
export interface StoredWeight extends StoredTensor {
  /** The variable's name where it was saved. */
  readonly name: string;
  /** tfjs's type of its numbers. */
  readonly dtype: string;
}

/** @throws {Error} that names the first weight whose name, shape or type differs from that of the stored weight */
export function checkWeights(stored: readonly StoredWeight[], variables: readonly Variable[]): void {
  for (let i = 0; i < Math.max(stored.length, variables.length); i++) {
    const theirs = stored[i], mine = variables[i];
    if (
      theirs && mine && String(theirs.shape) === String(mine.shape) && theirs.dtype === mine.dtype &&
      sameName(theirs.name, mine.name)
    ) continue;
    throw new Error(
      `Cannot restore: weight ${i} is ${describe(theirs)} in the checkpoint, ${describe(mine)} here`,
    );
  }
}

/** Gives the variables the values of the stored weights. */
export function assignWeights(stored: readonly StoredWeight[], variables: readonly Variable[]): void {
  variables.forEach((variable, i) => {
    tf.tidy(() => variable.assign(tf.tensor(stored[i]!.values, variable.shape, variable.dtype)));
  });
}

function describe(weight: StoredWeight | Variable | undefined): string {
  return weight ? `${weight.name} [${weight.shape}] of ${weight.dtype}` : "absent";
}
