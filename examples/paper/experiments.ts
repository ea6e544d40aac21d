/** The two experiments of arXiv:2010.03246, on one node: bytes until the error has fallen, beside what its poster shows. @module */

import {
  average,
  type Compressor,
  key,
  logistic,
  type Method,
  minimise,
  type Minimised,
  normal,
  parseCompressor,
  type Problem,
  readLibsvm,
  ridge,
} from "../../mod.ts";
import { bitsForAllVectors, bitsOnAverage } from "../figures/bounds.ts";
import type { Axis, Chart, Point, Series } from "../figures/chart.ts";
import { familyOf } from "../figures/families.ts";
import type { Table } from "../figures/page.ts";
import { progress } from "../terminal/progress.ts";
import { digits } from "../terminal/table.ts";
import { chartOfRuns } from "./curves.ts";
import type { DATA_SETS } from "./data.ts";
import { alphaOf, type Observation, observe } from "./observe.ts";
import { capShare, sampledSpherical } from "./sampled_spherical.ts";

/** One of the paper's experiments and the bytes that its poster shows. */
interface Experiment {
  readonly title: string;
  readonly dataSet: keyof typeof DATA_SETS;
  readonly problem: (text: string) => Problem;
  /** Bytes read off the poster. */
  readonly poster: Readonly<Record<"floats" | "topK" | "nearest" | "random" | "spherical", number>>;
  /** α of spherical compression. */
  readonly alpha: number;
  /** Settings of spherical compression that this library adds: α, and whether it is unbiased. */
  readonly best: readonly (readonly [alpha: number, unbiased: boolean])[];
}

export const EXPERIMENTS: readonly Experiment[] = [
  {
    title: "Body-Fat, ridge regression",
    dataSet: "bodyfat",
    problem: (text) => ridge(readLibsvm(text), { lambda: .005 }),
    poster: { floats: 63_000, topK: 50_500, nearest: 9200, random: 9800, spherical: 9000 },
    alpha: .15,
    best: [[.35, false], [.5, true], [.7, true]],
  },
  {
    title: "Breast-Cancer, logistic regression",
    dataSet: "breast-cancer",
    problem: (text) => logistic(readLibsvm(text), { lambda: .0125 }),
    poster: { floats: 13_400, topK: 12_000, nearest: 2600, random: 2750, spherical: 2400 },
    alpha: .2,
    best: [[.2, false], [.5, true], [.6, true]],
  },
];

/** The squared distance, as a share of that at the start, that the bytes are counted until. */
const ERROR = 1e-4;

/** Above this number of candidates a message a whole run by search takes minutes: one starting point then. */
const PATIENCE = 1e5;

/** A line of an experiment's table. */
interface Line {
  readonly name: string;
  readonly method: Method;
  readonly color: string;
  /** γ, as a multiple of 1/L. */
  readonly step: number;
  readonly poster?: number;
  /** Stop after so many rounds: enough for the bits of a message. */
  readonly rounds?: number;
  /** From so many starting points. Default: all. */
  readonly starts?: number;
  /** The compressor and what was seen of its messages; nothing of floats and of what is only sampled. */
  readonly seen?: { readonly compressor: Compressor; readonly observation: Observation };
}

function linesOf({ poster, alpha, best }: Experiment, size: number, search: boolean): Line[] {
  const line = (name: string, text: string, step = 1, poster?: number): Line => {
    const compressor = parseCompressor(text), observation = { messages: 0, bytes: 0, error: 0, milliseconds: 0 };
    return {
      name,
      method: average(observe(compressor, observation)),
      color: familyOf(text).color,
      step,
      seen: { compressor, observation },
      ...(poster === undefined ? {} : { poster }),
    };
  };
  const random = `sparseDithering({ nu: 0.25, rounding: "random" })`, slow = 1 / capShare(alpha, size) > PATIENCE;
  const spherical = (alpha: number, unbiased: boolean) =>
    line(
      `spherical, α = ${alpha}, logarithmic norm${unbiased ? ", unbiased" : ""}`,
      `sphericalCompression({ alpha: ${alpha}, block: ${size}, norm: "log"${unbiased ? ", unbiased: true" : ""} })`,
    );
  return [
    { name: "32-bit floats", method: average(), color: familyOf("").color, step: 1, poster: poster.floats },
    ...Array.from({ length: size - 1 }, (_, i) => line(`top k, k = ${i + 1}`, `topK({ k: ${i + 1} })`, 1, poster.topK)),
    line("sparse, nearest, ν = 0.1", `sparseDithering({ nu: 0.1, rounding: "nearest" })`, 1, poster.nearest),
    // The poster does not say which step: its values lie near the second on Body-Fat.
    line("sparse, random, ν = 0.25", random, 1, poster.random),
    line("sparse, random, ν = 0.25, step 1/(1.25 L)", random, 1 / 1.25, poster.random),
    {
      name: `spherical, α = ${alpha}, sampled`,
      method: sampledSpherical(alpha),
      color: familyOf("sphericalCompression").color,
      step: 1,
      poster: poster.spherical,
    },
    {
      ...line(
        `spherical, α = ${alpha}, by search${slow ? ", one start" : ""}`,
        `sphericalCompression({ alpha: ${alpha}, block: ${size} })`,
        1,
        poster.spherical,
      ),
      ...slow ? { starts: 1, ...search ? {} : { rounds: 50 } } : {},
    },
    ...best.map(([alpha, unbiased]) => spherical(alpha, unbiased)),
  ];
}

/** The runs of one line from all its starting points. */
interface Result {
  readonly line: Line;
  readonly runs: readonly Minimised[];
  /** The mean over the starts; infinite where one of them did not arrive. */
  readonly bytes: number;
}

/** An experiment's table, and its charts by the names of their files. */
export interface Outcome {
  readonly table: Table;
  readonly charts: Readonly<Record<string, Chart>>;
}

/** Runs an experiment from that many random starts; by search only where that takes no minutes, or `search` is true. */
export function runExperiment(experiment: Experiment, text: string, starts: number, search: boolean): Outcome {
  const problem = experiment.problem(text), { size, smoothness } = problem.constants;
  const all = linesOf(experiment, size, search), { title, dataSet, poster } = experiment;
  const bar = progress(all.length * starts, [`{value}/{total} ${title}`, "{name}"]);
  let done = 0;
  const results = all.map((line): Result => {
    const runs = Array.from({ length: Math.min(starts, line.starts ?? starts) }, (_, seed) => {
      bar.update(done++, { name: line.name });
      return minimise(problem, line.method, {
        rounds: line.rounds ?? 20_000,
        step: line.step / smoothness,
        error: ERROR,
        start: normal(key(seed), new Float32Array(size)),
        seed,
        onProgress: ({ round }) => bar.update(done - 1, { name: `${line.name}, round ${round}` }),
      });
    });
    return { line, runs, bytes: mean(runs.map(({ bytes, reached }) => reached ? bytes : Infinity)) };
  });
  bar.update(done, { name: "runs" });
  bar.stop();
  // Of all k the one that needs the fewest bytes, as in the paper.
  const isTopK = ({ line }: Result) => line.name.startsWith("top k");
  const top = results.filter(isTopK).reduce((a, b) => a.bytes <= b.bytes ? a : b);
  const shown = results.filter((result) => !isTopK(result) || result === top), floats = shown[0]!;
  const head = ["compressor", "rounds", "bytes", "bits per message", "floats / this", "poster bytes", "poster ratio"];
  const rows = shown.map(({ line, runs, bytes }) => [
    line.name,
    digits(mean(runs.map(({ round }) => round)), 4),
    Number.isFinite(bytes) ? String(Math.round(bytes)) : "not reached",
    digits(8 * mean(runs.map(({ bytes, round }) => bytes / round)), 4),
    Number.isFinite(bytes) ? digits(mean(runs.map((run, i) => floats.runs[i]!.bytes / run.bytes)), 3) : "–",
    line.poster === undefined ? "–" : String(line.poster),
    line.poster === undefined ? "–" : digits(poster.floats / line.poster, 3),
  ]);
  const from = `mean of ${starts} start${starts > 1 ? "s" : ""}`;
  return {
    table: {
      title: `${title}: bytes until the squared distance is ${ERROR} of its start, one node, ${from}`,
      head,
      rows,
    },
    charts: {
      [`${dataSet}-bytes`]: chartOfRuns(
        `${title}: bytes against error, one node, ${from}`,
        shown.map(({ line, runs }) => ({ ...line, runs })),
        ERROR,
        ["bytes sent", ({ bytes }) => bytes],
      ),
      ...messageCharts(experiment, size, shown),
    },
  };
}

/** What single messages of the runs are like: bits against error, and distance to the bound against time. */
function messageCharts({ title, dataSet }: Experiment, size: number, shown: readonly Result[]): Record<string, Chart> {
  const seen = shown.flatMap(({ line: { name, color, seen } }) => {
    if (!seen) return [];
    const { bytes, messages, milliseconds } = seen.observation, alpha = alphaOf(seen.compressor, seen.observation);
    // The same compressor at another step sends messages like these.
    if (name.includes("step")) return [];
    return [{ name, color, alpha, bits: 8 * bytes / messages / size, time: 1e6 * milliseconds / messages / size }];
  });
  const bits = { name: "bits a number", from: 0, to: 6 };
  const alphas = Array.from({ length: 100 }, (_, i) => .02 ** (i / 100));
  const bound = (name: string, of: (alpha: number) => number): Series => ({
    name,
    color: "#666666",
    style: "dashed",
    points: alphas.map((alpha) => [alpha, of(alpha)]),
  });
  const series = (point: (one: typeof seen[number]) => Point) =>
    seen.map((one): Series => ({ name: one.name, color: one.color, style: "points", points: [point(one)] }));
  const alpha: Axis = { name: "α, the relative square error of a message", from: 1, to: .02, log: true };
  return {
    [`${dataSet}-message`]: {
      title: `${title}: bits of a message against its error, ${size} numbers`,
      x: alpha,
      y: bits,
      series: [
        bound("bound for all vectors", bitsForAllVectors),
        bound("bound on average", (alpha) => bitsOnAverage(alpha, size)),
        ...series(({ name, alpha, bits }) => [alpha, bits, name]),
      ],
    },
    [`${dataSet}-time`]: {
      title: `${title}: distance to the bound on average against time, ${size} numbers`,
      x: { name: "nanoseconds a number to encode", from: 10, to: 1e9, log: true },
      y: { name: "bits a number above the bound on average", from: 0, to: 4 },
      series: series(({ name, alpha, bits, time }) => [time, bits - bitsOnAverage(alpha, size), name]),
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
