/** A race of methods on larger problems: bytes and rounds until the error has fallen, each at the best of several steps. @module */

import { key, minimise, type Minimised, normal, parseMethod, type Problem } from "../../mod.ts";
import { familyOf } from "../figures/families.ts";
import { progress } from "../terminal/progress.ts";
import { digits } from "../terminal/table.ts";
import { chartOfRuns } from "./curves.ts";
import type { Outcome } from "./experiments.ts";

/** Methods and the compressors they race with, and what the charts call them; μ is the problem's strong convexity. */
function contestants(convexity: number): readonly (readonly [name: string, method: string])[] {
  const trellis = (omega: number) => `subtractiveDithering({ omega: ${omega}, states: 8 })`;
  const random = `sparseDithering({ nu: 0.25, rounding: "random" })`;
  const nearest = `sparseDithering({ nu: 0.5, rounding: "nearest" })`;
  const topK = "topK({ ratio: 0.1 })", randK = "randK({ ratio: 0.1 })";
  return [
    ["average, 32-bit floats", "average"],
    ["average, trellis, ω = 0.5", `average(${trellis(.5)})`],
    ["DIANA, random 10 %", `diana(${randK})`],
    ["DIANA, sparse dithering", `diana(${random})`],
    ["DIANA, trellis, ω = 0.5", `diana(${trellis(.5)})`],
    ["DIANA, trellis, ω = 2", `diana(${trellis(2)})`],
    ["DIANA, top and random 10 %", `diana(induced(${topK}, ${randK}))`],
    ["ADIANA, trellis, ω = 0.5", `adiana(${trellis(.5)}, { convexity: ${convexity} })`],
    ["MARINA, random 10 %", `marina(${randK})`],
    ["MARINA, trellis, ω = 0.5", `marina(${trellis(.5)}, { probability: 0.05 })`],
    ["error feedback, top 10 %", `errorFeedback(${topK})`],
    ["error feedback, sparse dithering", `errorFeedback(${nearest})`],
    ["EF21, top 10 %", `ef21(${topK})`],
    ["EF21, sparse dithering", `ef21(${nearest})`],
    ["EF21, scaled sign", "ef21(scaledSign)"],
    ["DoubleSqueeze, top 10 %", `doubleSqueeze(${topK})`],
  ];
}

/** The squared distance, as a share of that at the start, at which the race is won. */
const WON = 1e-6;

/** Each method's step is its theory's times the best of these, by where it is after so many rounds. */
const MULTIPLIERS = Array.from({ length: 11 }, (_, i) => 2 ** i), TRIAL = 60;

interface Racer {
  readonly name: string;
  readonly method: string;
  readonly multiplier: number;
  readonly run: Minimised;
}

/** Runs all methods from one start, that of key 0. */
export function race(title: string, problem: Problem, rounds: number): Outcome {
  const all = contestants(problem.constants.convexity);
  const bar = progress(all.length, [`{value}/{total} ${title}`, "{name}"]);
  const racers = all.map(([name, method], i): Racer => {
    bar.update(i, { name });
    const go = (multiplier: number, most: number) =>
      minimise(problem, parseMethod(method), {
        rounds: most,
        multiplier,
        error: WON,
        start: normal(key(0), new Float32Array(problem.constants.size)),
        onProgress: ({ round }) => bar.update(i, { name: `${name}, ${multiplier} × theory's step, round ${round}` }),
      });
    const trials = MULTIPLIERS.map((multiplier) => ({ multiplier, error: go(multiplier, TRIAL).error }))
      .sort((a, b) => a.error - b.error);
    // The fastest start need not arrive: then the step of the next best start below it has its turn, twice at most.
    let multiplier = trials[0]?.multiplier ?? 1, run = go(multiplier, rounds);
    for (let turn = 0; !run.reached && turn < 2; turn++) {
      const next = trials.find((trial) => trial.multiplier < multiplier)?.multiplier;
      if (next === undefined) break;
      const other = go(next, rounds);
      if (!(other.error < run.error)) break;
      multiplier = next, run = other;
    }
    return { name, method, multiplier, run };
  });
  bar.update(all.length, { name: "methods" });
  bar.stop();
  const floats = racers[0]!.run;
  const head = ["method", "step × theory", "rounds", "bytes per rank", "floats / this", "error"];
  const rows = racers.map(({ name, multiplier, run }) => [
    name,
    String(multiplier),
    run.reached ? String(run.round) : `> ${run.round}`,
    run.reached ? String(Math.round(run.bytes)) : `> ${Math.round(run.bytes)}`,
    run.reached && floats.reached ? digits(floats.bytes / run.bytes, 3) : "–",
    run.error.toExponential(1),
  ]);
  const file = title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const runs = racers.map(({ name, method, run }) => ({ name, color: familyOf(method).color, runs: [run] }));
  const chart = (what: string, spent: Parameters<typeof chartOfRuns>[3]) =>
    chartOfRuns(`${title}: ${what} against error`, runs, WON, spent);
  return {
    table: { title: `${title}, split by label: until the squared distance is ${WON} of its start`, head, rows },
    charts: {
      [`${file}-bytes`]: chart("bytes", ["bytes encoded per rank", ({ bytes }) => bytes]),
      [`${file}-rounds`]: chart("rounds", ["rounds", ({ round }) => round]),
    },
  };
}
