/** The vectors that the laboratory measures on: made, captured while training, or read from a file. @module */

import { fold, key, normal, uniform } from "../../random.ts";
import { readNpy } from "./npy.ts";

/** Where `--capture` keeps gradients. */
export const CAPTURED = "out/gradients";

/** A vector that is made, or undefined where there is none of that name. */
function made(name: string, size: number, seed: number): Float32Array | undefined {
  const x = normal(key(seed + 1), new Float32Array(size));
  switch (name) {
    case "gaussian":
      return x;
    case "heavyTailed": // Student's t with 3 degrees of freedom: a gaussian over the root of a mean of 3 squares
      return x.map((v, i) => {
        const z = normal(fold(key(seed + 2), i), new Float32Array(3));
        return v / Math.sqrt((z[0]! ** 2 + z[1]! ** 2 + z[2]! ** 2) / 3);
      });
    case "sparse": { // one number in fifty
      const u = uniform(key(seed + 3), new Float32Array(size));
      return x.map((v, i) => u[i]! < .02 ? v : 0);
    }
  }
}

/**
 * The vector of that name, or in that file.
 *
 * @throws {Error} if there is no such vector
 */
export async function readVector(name: string, size: number, seed: number): Promise<Float32Array> {
  const known = made(name, size, seed);
  if (known) return known;
  const captured = /^gradient\d+$/.test(name), path = captured ? `${CAPTURED}/${name}.npy` : name;
  let bytes;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    const how = captured
      ? "`deno task lab --capture` makes it"
      : "expected gaussian, heavyTailed, sparse, gradient1, gradient100, gradient1000 or a file";
    throw new Error(`Cannot read vector ${JSON.stringify(name)}: ${how}`, { cause });
  }
  if (!path.endsWith(".safetensors")) return readNpy(bytes);
  const { readSafetensors } = await import("../../optimizers/files/safetensors.ts");
  const tensors = Object.values(readSafetensors(bytes).tensors).map(({ values }) => values);
  const whole = new Float32Array(tensors.reduce((sum, { length }) => sum + length, 0));
  tensors.reduce((at, values) => (whole.set(values, at), at + values.length), 0);
  return whole;
}
