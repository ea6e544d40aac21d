/** The paper's two experiments: the ratios to 32-bit floats of methods.md, section 5, within 10 %, and beyond them. */

import { assert } from "@std/assert/mod.js";
import {
  average,
  key,
  logistic,
  type Method,
  minimise,
  normal,
  parseCompressor,
  type Problem,
  readLibsvm,
  ridge,
} from "../../../mod.ts";
import { sampledSpherical } from "../../../examples/paper/sampled_spherical.ts";

const compressed = (text: string) => average(parseCompressor(text));
const nearest = compressed('sparseDithering({ nu: 0.1, rounding: "nearest" })');
const random = compressed("sparseDithering({ nu: 0.25 })");
const unbiased = (block: number) =>
  compressed(`sphericalCompression({ alpha: 0.5, block: ${block}, norm: "log", unbiased: true })`);

/** Bytes of floats over those of a method, until ‖x − x*‖² is 1e-4 of its start: least and most, before the 10 %. */
const experiments: [name: string, problem: (text: string) => Problem, file: string, [Method, number, number][]][] = [
  ["Body-Fat", (text) => ridge(readLibsvm(text), { lambda: .005 }), "bodyfat/bodyfat_scale", [
    [sampledSpherical(.15), 6.8, 7],
    [nearest, 6.3, 6.7],
    [random, 5.3, 7.3],
    [unbiased(14), 12 / .9, Infinity],
  ]],
  ["Breast-Cancer", (text) => logistic(readLibsvm(text), { lambda: .0125 }), "breast-cancer/breast-cancer_scale", [
    [sampledSpherical(.2), 5.8, 6.4],
    [compressed("sphericalCompression({ alpha: 0.2, block: 10 })"), 5.8, 6.4], // by search to the end
    [nearest, 5, 5.4],
    [random, 4.5, 5.6],
    [unbiased(10), 9 / .9, Infinity],
  ]],
];

for (const [name, make, file, methods] of experiments) {
  const text = read(`../shared/data/${file}`),
    why = text === undefined ? ` (skipped: ../shared/data/${file} is not there)` : "";
  Deno.test({
    name: `${name}: as many times fewer bytes than floats as the paper's, and more${why}`,
    ignore: text === undefined,
    fn() {
      const problem = make(text!), { size, smoothness } = problem.constants, { minimiser } = problem;
      const bytes = (method: Method, seed: number) => {
        const start = normal(key(seed), new Float32Array(size));
        const options = { rounds: 5000, step: 1 / smoothness, error: 1e-4, start, seed, every: 5000, minimiser };
        const run = minimise(problem, method, options);
        assert(run.reached, `${method.name} is at ${run.error}`);
        return run.bytes;
      };
      const floats = [0, 1].map((seed) => bytes(average(), seed));
      for (const [method, least, most] of methods) {
        const ratio = floats.reduce((sum, dense, seed) => sum + dense / bytes(method, seed) / floats.length, 0);
        const { options } = method;
        assert(.9 * least <= ratio && ratio <= 1.1 * most, `${method.name} ${JSON.stringify(options)}: ${ratio}`);
      }
    },
  });
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
