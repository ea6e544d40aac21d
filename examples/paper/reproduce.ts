/**
 * The experiments of arXiv:2010.03246 again, and beyond them: `deno task reproduce --help`.
 *
 * @module
 */

import { logistic, readLibsvm } from "../../mod.ts";
import { type Chart, svg } from "../figures/chart.ts";
import { page, type Table } from "../figures/page.ts";
import { readOptions, runProgram, wholeNumber } from "../terminal/program.ts";
import { type Progress, progress } from "../terminal/progress.ts";
import { table } from "../terminal/table.ts";
import { DATA_SETS, readData } from "./data.ts";
import { EXPERIMENTS, type Outcome, runExperiment } from "./experiments.ts";
import { race } from "./race.ts";

const HELP = `Reruns the experiments of "Optimal Gradient Compression for Distributed and Federated Learning"
(arXiv:2010.03246), then races this library's methods and compressors on larger problems.

deno task reproduce [options]
  --data DIR    a folder with the data sets; default ../shared/data where it exists, else they are downloaded once
  --starts N    random starting points that the paper's experiments are averaged over; default 3
  --paper       only the paper's two experiments
  --race        only the race
  --no-search   stops Body-Fat's spherical compression by search, which takes some minutes, after 50 messages
  --rounds N    the most rounds of a method in the race; default 1500
  --out DIR     where the figures go; default out/reproduce
  --help`;

async function main(args: readonly string[]): Promise<void> {
  const values = { data: undefined, starts: "3", rounds: "1500", out: "out/reproduce" };
  const options = readOptions(args, values, ["paper", "race", "no-search"]);
  if (options.help) return console.log(HELP);
  const starts = wholeNumber("starts", options.starts), rounds = wholeNumber("rounds", options.rounds);
  const folder = options.data ?? (await exists("../shared/data") ? "../shared/data" : undefined);
  const text = async (name: keyof typeof DATA_SETS) => {
    let bar: Progress | undefined;
    const onProgress = (received: number, total?: number) => {
      bar ??= progress(total ?? 1, `${name}: {value} of {total} bytes`);
      bar.update(received);
    };
    const read = await readData(DATA_SETS[name], { folder, onProgress });
    bar?.stop();
    return read;
  };

  const charts: Record<string, Chart> = {}, tables: Table[] = [];
  const show = (outcome: Outcome) => {
    const { title, head, rows } = outcome.table;
    console.log(`\n${title}\n\n${table(head, rows)}\n`);
    tables.push(outcome.table);
    Object.assign(charts, outcome.charts);
  };
  if (!options.race) {
    for (const experiment of EXPERIMENTS) {
      show(runExperiment(experiment, await text(experiment.dataSet), starts, !options["no-search"]));
    }
  }
  if (!options.paper) {
    for (const name of ["a5a", "mushrooms", "w8a", "phishing"] as const) {
      for (const ranks of [10, 20]) {
        const problem = logistic(readLibsvm(await text(name)), { ranks, by: "label", lambda: .01 });
        show(race(`${name}, ${ranks} ranks`, problem, rounds));
      }
    }
  }
  await Deno.mkdir(options.out, { recursive: true });
  for (const [name, chart] of Object.entries(charts)) {
    await Deno.writeTextFile(`${options.out}/${name}.svg`, svg(chart));
  }
  const html = await page("Experiments", Object.values(charts), tables);
  await Deno.writeTextFile(`${options.out}/reproduce.html`, html);
  console.log(`Wrote reproduce.html and ${Object.keys(charts).length} figures as SVG to ${options.out}`);
}

async function exists(folder: string): Promise<boolean> {
  return await Deno.stat(folder).then(() => true, () => false);
}

await runProgram(main);
