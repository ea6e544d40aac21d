/**
 * The experiments of arXiv:2010.03246 again, and beyond them: `deno task reproduce --help`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse_args.js";
import {
  key,
  logistic,
  type Method,
  minimise,
  type Minimised,
  normal,
  parseCompressor,
  parseMethod,
  type Problem,
  readLibsvm,
  ridge,
} from "../../mod.ts";
import { average } from "../../optimizers/mod.ts";
import { type Chart, page, type Series, svg } from "../figures/chart.ts";
import { DATA_SETS, readData } from "./data.ts";
import { progress } from "../terminal/progress.ts";
import { capProbability, sampledSpherical } from "./sampled_spherical.ts";
import { digits, table } from "../terminal/table.ts";

const HELP = `Reruns the experiments of "Optimal Gradient Compression for Distributed and Federated Learning"
(arXiv:2010.03246), then races this library's methods and compressors on larger problems.

deno task reproduce [options]
  --data DIR    a folder with the data sets; default ../shared/data where it exists, else they are downloaded once
  --starts N    random starting points that the paper's experiments are averaged over; default 3
  --paper       only the paper's two experiments
  --race        only the race
  --no-search   only the first 50 messages of Body-Fat's spherical compression by search, which takes some minutes
  --rounds N    the most rounds of a method in the race; default 1500
  --out DIR     where the figures go; default out/reproduce
  --help`;

/** One of the paper's experiments and the bytes that its poster shows. */
interface Experiment {
  readonly title: string;
  readonly dataSet: keyof typeof DATA_SETS;
  readonly problem: (text: string) => Problem;
  /** Bytes read off the poster. */
  readonly poster: {
    readonly floats: number;
    readonly topK: number;
    readonly nearest: number;
    readonly random: number;
    readonly spherical: number;
  };
  /** α of spherical compression. */
  readonly alpha: number;
  /** The best of this library. */
  readonly best: readonly string[];
}

const EXPERIMENTS: readonly Experiment[] = [
  {
    title: "Body-Fat, ridge regression",
    dataSet: "bodyfat",
    problem: (text) => ridge(readLibsvm(text), { lambda: .005 }),
    poster: { floats: 63_000, topK: 50_500, nearest: 9200, random: 9800, spherical: 9000 },
    alpha: .15,
    best: [
      `sphericalCompression({ alpha: 0.35, block: 14, norm: "log" })`,
      `sphericalCompression({ alpha: 0.5, block: 14, norm: "log", unbiased: true })`,
      `sphericalCompression({ alpha: 0.7, block: 14, norm: "log", unbiased: true })`,
    ],
  },
  {
    title: "Breast-Cancer, logistic regression",
    dataSet: "breast-cancer",
    problem: (text) => logistic(readLibsvm(text), { lambda: .0125 }),
    poster: { floats: 13_400, topK: 12_000, nearest: 2600, random: 2750, spherical: 2400 },
    alpha: .2,
    best: [
      `sphericalCompression({ alpha: 0.2, block: 10, norm: "log" })`,
      `sphericalCompression({ alpha: 0.5, block: 10, norm: "log", unbiased: true })`,
      `sphericalCompression({ alpha: 0.6, block: 10, norm: "log", unbiased: true })`,
    ],
  },
];

const ERROR = 1e-4;

/** A line of the table of an experiment. */
interface Line {
  readonly name: string;
  readonly method: Method;
  /** γ, as a multiple of 1/L. */
  readonly step: number;
  readonly poster?: number;
  /** Stop after so many rounds: enough for the bits of a message. */
  readonly rounds?: number;
  /** From so many starting points. Default: all. */
  readonly starts?: number;
}

/** Above this number of candidates a message a whole run by search takes minutes: one starting point then. */
const PATIENCE = 1e5;

function lines({ poster, alpha, best }: Experiment, size: number, search: boolean): Line[] {
  const line = (text: string, step = 1, poster?: number, name = text): Line => ({
    name,
    method: average(parseCompressor(text)),
    step,
    ...(poster === undefined ? {} : { poster }),
  });
  const random = `sparseDithering({ nu: 0.25, rounding: "random" })`, slow = 1 / capProbability(alpha, size) > PATIENCE;
  return [
    line("identity", 1, poster.floats, "32-bit floats"),
    ...Array.from({ length: size - 1 }, (_, i) => line(`topK({ k: ${i + 1} })`, 1, poster.topK)),
    line(`sparseDithering({ nu: 0.1, rounding: "nearest" })`, 1, poster.nearest),
    // The poster does not say which step: its values lie near the second on Body-Fat.
    ...[1, 1 / 1.25].map((step) => line(random, step, poster.random, `${random}, step ${step}/L`)),
    { name: `spherical, α = ${alpha}, sampled`, method: sampledSpherical(alpha), step: 1, poster: poster.spherical },
    {
      ...line(`sphericalCompression({ alpha: ${alpha}, block: ${size} })`, 1, poster.spherical),
      ...slow ? { starts: 1, ...search ? {} : { rounds: 50 } } : {},
    },
    ...best.map((text) => line(text)),
  ];
}

/** The runs of one line from all starting points. */
interface Result {
  readonly line: Line;
  readonly runs: readonly Minimised[];
  readonly bytes: number;
}

function paper(
  experiment: Experiment,
  problem: Problem,
  starts: number,
  search: boolean,
): { chart: Chart; head: string[]; rows: string[][] } {
  const { size, smoothness } = problem.constants, all = lines(experiment, size, search);
  const bar = progress(all.length * starts, `${experiment.title}: {value}/{total} {name}`);
  let done = 0;
  const results = all.map((line): Result => {
    const runs = Array.from({ length: Math.min(starts, line.starts ?? starts) }, (_, seed) => {
      bar.update(done++, { name: line.name });
      const start = normal(key(seed), new Float32Array(size));
      return minimise(problem, line.method, {
        rounds: line.rounds ?? 20_000,
        step: line.step / smoothness,
        error: ERROR,
        start,
        seed,
        onProgress: ({ round }) => bar.update(done - 1, { name: `${line.name}, round ${round}` }),
      });
    });
    return { line, runs, bytes: mean(runs.map(({ bytes, reached }) => reached ? bytes : Infinity)) };
  });
  bar.update(done, { name: "runs" });
  bar.stop();
  // Of all Top-k the one that needs the fewest bytes, as in the paper.
  const isTopK = ({ line }: Result) => line.name.startsWith("topK");
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
    line.poster === undefined ? "–" : digits(experiment.poster.floats / line.poster, 3),
  ]);
  const chart: Chart = {
    title: `${experiment.title}: error against bytes, one node`,
    x: { name: "bytes sent", log: true },
    y: { name: "‖x − x*‖² / ‖x⁰ − x*‖²", log: true },
    series: shown.map(({ line, runs }) => curve(line.name, runs[0]!, ({ bytes }) => bytes)),
  };
  return { chart, head, rows };
}

function curve(name: string, { history }: Minimised, x: (entry: Minimised["history"][number]) => number): Series {
  // A few hundred points draw the same curve as thousands.
  const stride = Math.ceil(history.length / 300);
  const points = history.filter((_, i) => i % stride === 0 || i === history.length - 1);
  return { name, points: points.filter((entry) => x(entry) > 0).map((entry) => [x(entry), entry.error] as const) };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Methods and the compressors they race with; μ is the problem's strong convexity. */
function contestants(convexity: number): readonly string[] {
  const trellis = (omega: number) => `subtractiveDithering({ omega: ${omega}, states: 8 })`;
  return [
    "average",
    `average(${trellis(.5)})`,
    "diana(randK({ ratio: 0.1 }))",
    `diana(sparseDithering({ nu: 0.25, rounding: "random" }))`,
    `diana(${trellis(.5)})`,
    `diana(${trellis(2)})`,
    "diana(induced(topK({ ratio: 0.1 }), randK({ ratio: 0.1 })))",
    `adiana(${trellis(.5)}, { convexity: ${convexity} })`,
    "marina(randK({ ratio: 0.1 }))",
    `marina(${trellis(.5)}, { probability: 0.05 })`,
    "errorFeedback(topK({ ratio: 0.1 }))",
    `errorFeedback(sparseDithering({ nu: 0.5, rounding: "nearest" }))`,
    "ef21(topK({ ratio: 0.1 }))",
    `ef21(sparseDithering({ nu: 0.5, rounding: "nearest" }))`,
    "ef21(scaledSign)",
    "doubleSqueeze(topK({ ratio: 0.1 }))",
  ];
}

/** The squared distance at which the race is won. */
const WON = 1e-6;

/** Trials to choose each method's step size from: its theory's, times these. */
const MULTIPLIERS = Array.from({ length: 11 }, (_, i) => 2 ** i), TRIAL = 60;

interface Racer {
  readonly name: string;
  readonly multiplier: number;
  readonly run: Minimised;
}

function race(title: string, problem: Problem, rounds: number): { charts: Chart[]; head: string[]; rows: string[][] } {
  const names = contestants(problem.constants.convexity);
  const bar = progress(names.length, `${title}: {value}/{total} {name}`);
  const racers = names.map((name, i): Racer => {
    bar.update(i, { name });
    const go = (multiplier: number, most: number) =>
      minimise(problem, parseMethod(name), {
        rounds: most,
        multiplier,
        error: WON,
        start: startOf(problem),
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
    return { name, multiplier, run };
  });
  bar.update(names.length, { name: "methods" });
  bar.stop();
  const floats = racers[0]!.run;
  const head = ["method", "step × theory", "rounds", "bytes per rank", "floats / this", "error"];
  const rows = racers.map(({ name, multiplier, run }) => [
    label(name),
    String(multiplier),
    run.reached ? String(run.round) : `> ${run.round}`,
    run.reached ? String(Math.round(run.bytes)) : `> ${Math.round(run.bytes)}`,
    run.reached && floats.reached ? digits(floats.bytes / run.bytes, 3) : "–",
    run.error.toExponential(1),
  ]);
  const series = (x: (entry: Minimised["history"][number]) => number) =>
    racers.map(({ name, run }) => curve(label(name), run, x));
  const y = { name: "‖x − x*‖² / ‖x⁰ − x*‖²", log: true };
  return {
    charts: [
      {
        title: `${title}: error against bytes`,
        x: { name: "bytes encoded per rank", log: true },
        y,
        series: series(({ bytes }) => bytes),
      },
      { title: `${title}: error against rounds`, x: { name: "rounds" }, y, series: series(({ round }) => round) },
    ],
    head,
    rows,
  };
}

/** The plain average sends 32-bit floats. */
function label(name: string): string {
  return name === "average" ? "average, 32-bit floats" : name.replace(/, \{ convexity.*\}\)$/, ")");
}

function startOf(problem: Problem): Float32Array {
  return normal(key(0), new Float32Array(problem.constants.size));
}

async function main(args: string[]): Promise<void> {
  const known = ["data", "starts", "paper", "race", "no-search", "rounds", "out", "help"];
  const options = parseArgs(args, {
    string: ["data", "starts", "rounds", "out"],
    boolean: ["paper", "race", "search", "help"],
    negatable: ["search"],
    default: { search: true, starts: "3", rounds: "1500", out: "out/reproduce" },
    unknown(option: string): never {
      throw new RangeError(
        `Cannot read option ${option}: expected one of ${known.map((name) => `--${name}`).join(", ")}`,
      );
    },
  });
  if (options.help) return console.log(HELP);
  const [starts, rounds] = (["starts", "rounds"] as const).map((name) => {
    const value = Number(options[name]);
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot read --${name} ${options[name]}: expected a whole number from 1 on`);
    }
    return value;
  }) as [number, number];
  const folder = options.data ?? (await exists("../shared/data") ? "../shared/data" : undefined);
  const text = async (name: keyof typeof DATA_SETS) => {
    let bar: ReturnType<typeof progress> | undefined;
    const onProgress = (received: number, total?: number) => {
      bar ??= progress(total ?? 1, `${name}: {value} of {total} bytes`);
      bar.update(received);
    };
    const read = await readData(DATA_SETS[name], { folder, onProgress });
    bar?.stop();
    return read;
  };

  const charts: Chart[] = [], tables: { title: string; head: string[]; rows: string[][] }[] = [];
  const show = (title: string, head: string[], rows: string[][]) => {
    console.log(`\n${title}\n\n${table(head, rows)}\n`);
    tables.push({ title, head, rows });
  };
  if (!options.race) {
    for (const experiment of EXPERIMENTS) {
      const { chart, head, rows } = paper(
        experiment,
        experiment.problem(await text(experiment.dataSet)),
        starts,
        options.search,
      );
      charts.push(chart);
      show(`${experiment.title}: bytes until the squared distance is ${ERROR} of its start, one node`, head, rows);
    }
  }
  if (!options.paper) {
    for (const name of ["a5a", "mushrooms", "w8a", "phishing"] as const) {
      for (const ranks of [10, 20]) {
        const title = `${name}, ${ranks} ranks`;
        const problem = logistic(readLibsvm(await text(name)), { ranks, by: "label", lambda: .01 });
        const { charts: drawn, head, rows } = race(title, problem, rounds);
        charts.push(...drawn);
        show(`${title}, split by label: until the squared distance is ${WON} of its start`, head, rows);
      }
    }
  }
  await Deno.mkdir(options.out, { recursive: true });
  for (const chart of charts) {
    const file = chart.title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    await Deno.writeTextFile(`${options.out}/${file}.svg`, svg(chart));
  }
  await Deno.writeTextFile(`${options.out}/reproduce.html`, await page("Experiments", charts, tables));
  console.log(`Wrote ${options.out}/reproduce.html and ${charts.length} figures as SVG`);
}

async function exists(folder: string): Promise<boolean> {
  return await Deno.stat(folder).then(() => true, () => false);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
