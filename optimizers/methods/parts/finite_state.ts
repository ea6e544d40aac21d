import { allFinite } from "./finite.ts";
import type { State } from "../method.ts";

/** The first vector of a method's state that holds a number that is not finite, by its name; undefined if none does. */
export function notFinite({ local, shared }: State): string | undefined {
  for (const vectors of [local, shared]) {
    for (const [name, vector] of Object.entries(vectors)) {
      if (vector instanceof Float32Array ? !allFinite(vector) : !vector.every(Number.isFinite)) return name;
    }
  }
  return undefined;
}
