/**
 * Methods on the digits: accuracy against bytes, as a table and as the README's picture. `deno task compare --help`.
 *
 * @module
 */

import { type Chart, type Series, svg } from "../figures/chart.ts";
import { familyOf } from "../figures/families.ts";
import { page } from "../figures/page.ts";
import { readOptions, runProgram, wholeNumber } from "../terminal/program.ts";
import { progress } from "../terminal/progress.ts";
import type { DigitsFigures } from "./digits_options.ts";
import { type Contestant, CONTESTANTS, FLOATS } from "./runs.ts";

const HELP =
  `Trains the digits network on four ranks with every method that communicates in every step, and writes a table of
accuracy and bytes to out/compare.html. About half an hour on two cores.

deno task compare [options]
  --picture     only what the picture shows; draws it as accuracy-bytes.svg
  --out DIR     where the picture goes; default out
  --epochs N    default 5
  --seeds N     how many runs the figures are the mean of; default 3
  --resume      takes the runs that out/compare.json has from before
  --quick       6 000 digits, one epoch, one seed
  --help`;

/** The figures of runs by what was run: kept in a file after each, so that pictures can be drawn again. */
type Kept = Record<string, DigitsFigures>;

const KEPT = "out/compare.json", MEGABYTE = 1e6;

/** The runs of one setting. */
interface Result {
  readonly contestant: Contestant;
  readonly setting: string;
  readonly method: string;
  readonly runs: readonly DigitsFigures[];
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const accuracies = ({ runs }: Result) => runs.map(({ accuracy }) => 100 * accuracy);

/** Trains with one method in a process of its own, so that every run starts from the same state. */
async function train(options: readonly string[]): Promise<DigitsFigures> {
  const file = await Deno.makeTempFile();
  try {
    const script = new URL("./train.ts", import.meta.url).pathname;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", "--allow-env", "--allow-write", script, ...options, "--json", file],
      stdout: "null",
    }).output();
    if (!success) throw new Error(`Cannot train with ${options.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    return JSON.parse(await Deno.readTextFile(file));
  } finally {
    await Deno.remove(file);
  }
}

/** The picture: test accuracy against megabytes, one curve a contestant, with the range of the seeds at each point. */
function pictureOf(results: readonly Result[], { epochs, seeds }: { epochs: number; seeds: number }): Chart {
  const megabytes = ({ runs }: Result) => mean(runs.map(({ sentBytes }) => sentBytes)) / epochs / MEGABYTE;
  const all = results.flatMap(accuracies), least = Math.min(...all), most = Math.max(...all);
  const series = CONTESTANTS.filter(({ isInPicture }) => isInPicture).flatMap((contestant): Series[] => {
    const own = results.filter((result) => result.contestant === contestant), { color } = familyOf(own[0]!.method);
    return [
      {
        // The curve ends, and bears its name, at the setting that sends the fewest bytes.
        name: [contestant.name, contestant.range].filter((part) => part !== "").join(", "),
        color,
        style: "joined",
        points: own.map((result) => [megabytes(result), mean(accuracies(result))]),
      },
      ...own.filter(() => seeds > 1).map((result): Series => ({
        name: contestant.name,
        color,
        style: "range",
        points: [Math.min(...accuracies(result)), Math.max(...accuracies(result))].map((y) => [megabytes(result), y]),
      })),
    ];
  });
  return {
    title: `Handwritten digits on four ranks: accuracy after ${epochs} epoch${epochs > 1 ? "s" : ""} against bytes, ` +
      (seeds > 1 ? `mean and range of ${seeds} seeds` : "one seed"),
    x: { name: "megabytes that each rank sends in an epoch", from: .1, to: 100, log: true },
    y: { name: "test accuracy, %", from: Math.floor(2 * least) / 2, to: Math.ceil(2 * most) / 2 },
    series,
  };
}

function tableOf(results: readonly Result[]): { head: string[]; rows: string[][] } {
  let floats = results[0]!;
  const rows = results.map((result) => {
    const { contestant: { name, optimizer, rate }, setting, runs } = result;
    if (name === FLOATS) floats = result;
    const spread = Math.max(...accuracies(result)) - Math.min(...accuracies(result));
    const [encoded, sent, whole] = (["encodedBytes", "sentBytes", "floatBytes"] as const)
      .map((bytes) => mean(runs.map((run) => run[bytes] / run.steps))) as [number, number, number];
    const floatsSent = mean(floats.runs.map((run) => run.sentBytes / run.steps));
    return [
      [name, setting].filter((part) => part !== "").join(", "),
      `${optimizer}, ${rate}`,
      mean(accuracies(result)).toFixed(2) + (runs.length > 1 ? ` ± ${(spread / 2).toFixed(2)}` : ""),
      (mean(accuracies(result)) - mean(accuracies(floats))).toFixed(2).replace("-", "−"),
      encoded.toFixed(0),
      (whole / encoded).toFixed(1),
      (floatsSent / sent).toFixed(1),
      mean(runs.map(({ seconds }) => seconds)).toFixed(0),
    ];
  });
  const head = [
    "method",
    "optimizer, rate",
    "test accuracy, %",
    "against floats",
    "bytes encoded per rank and step",
    "floats / encoded",
    "floats / sent",
    "seconds",
  ];
  return { head, rows };
}

async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args, { out: "out", epochs: "5", seeds: "3" }, ["picture", "resume", "quick"]);
  if (options.help) return console.log(HELP);
  const epochs = options.quick ? 1 : wholeNumber("epochs", options.epochs);
  const seeds = options.quick ? 1 : wholeNumber("seeds", options.seeds);
  await Deno.mkdir("out", { recursive: true });
  const kept: Kept = options.resume ? JSON.parse(await Deno.readTextFile(KEPT)) : {};
  const contestants = CONTESTANTS.filter(({ isInPicture }) => isInPicture || !options.picture);
  const asked = contestants.flatMap((contestant) =>
    contestant.settings.map(([setting, method]) => ({ contestant, setting, method, runs: [] as DigitsFigures[] }))
  );
  const bar = progress(asked.length * seeds, ["{value}/{total}", "{name}"]),
    size = options.quick ? "--quick" : `--epochs ${epochs}`;
  let done = 0;
  for (let seed = 0; seed < seeds; seed++) {
    for (const { contestant: { name, optimizer, rate }, setting, method, runs } of asked) {
      bar.update(done++, { name: `${name} ${setting}, seed ${seed}` });
      const others = `--optimizer ${optimizer} --rate ${rate} --seed ${seed} ${size}`.split(" ");
      const args = ["--method", method, ...others];
      runs.push(kept[args.join(" ")] ??= await train(args));
      await Deno.writeTextFile(KEPT, JSON.stringify(kept, undefined, 1));
    }
  }
  bar.update(done, { name: "runs" });
  bar.stop();

  const results: readonly Result[] = asked;
  const { head, rows } = tableOf(results), line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  console.log(["", line(head), line(head.map((_, i) => i < 2 ? "---" : "---:")), ...rows.map(line)].join("\n"));
  const chart = pictureOf(results.filter(({ contestant }) => contestant.isInPicture), { epochs, seeds });
  await Deno.mkdir(options.out, { recursive: true });
  await Deno.writeTextFile(`${options.out}/accuracy-bytes.svg`, svg(chart));
  if (!options.picture) {
    await Deno.writeTextFile(
      "out/compare.html",
      await page("Methods on the digits", [chart], [{ title: "Figures", head, rows }]),
    );
  }
}

await runProgram(main);
