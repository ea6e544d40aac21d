/**
 * Every method on the digits: accuracy against bytes, as the table in the README. `deno task compare [--quick]`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse_args.js";
import type { DigitsFigures } from "./digits_options.ts";
import { page } from "../figures/chart.ts";
import { progress } from "../terminal/progress.ts";

/** What is wrapped, at which learning rate. */
const ADAM = ["--optimizer", "adam"], sgd = (rate: number) => ["--optimizer", "sgd", "--rate", String(rate)];

/**
 * The per-step methods that train networks, at the compressors one would choose first. Each is compared with 32-bit
 * floats under the same optimizer above it; those with momentum of their own, and the signs, with momentum SGD.
 */
const RUNS: readonly (readonly [name: string, method: string, options: readonly string[]])[] = [
  ["Adam, 32-bit floats", "average", ADAM],
  ["`average`, trellis dithering", "average(subtractiveDithering({ omega: 1, states: 8 }))", ADAM],
  ["`errorFeedback`, sparse dithering", `errorFeedback(sparseDithering({ nu: 0.5, rounding: "nearest" }))`, ADAM],
  ["`errorFeedback`, top 1 %", "errorFeedback(topK({ ratio: 0.01 }))", ADAM],
  ["`doubleSqueeze`, sparse dithering", `doubleSqueeze(sparseDithering({ nu: 0.5, rounding: "nearest" }))`, ADAM],
  ["`diana`, trellis dithering", "diana(subtractiveDithering({ omega: 1, states: 8 }))", ADAM],
  ["`ef21`, sparse dithering", `ef21(sparseDithering({ nu: 0.25, rounding: "nearest" }))`, ADAM],
  ["`powerSgd`, rank 4", "powerSgd({ rank: 4 })", ADAM],
  ["`oneBitAdam`, 100 steps of warm-up", "oneBitAdam({ warmupSteps: 100 })", ADAM],
  ["momentum SGD, 32-bit floats", "average", ["--optimizer", "momentum", "--rate", "0.1"]],
  ["`distEf`, scaled sign", "distEf", sgd(.1)],
  ["`deepGradientCompression`, 1 %", "deepGradientCompression({ ratio: 0.01 })", sgd(.2)],
  ["`majorityVote`", "majorityVote({ momentum: 0.9 })", sgd(.001)],
  ["SGD, 32-bit floats", "average", sgd(.5)],
  ["`oneBitSgd`", "oneBitSgd", sgd(.5)],
  ["`vrDiana`, natural compression", "vrDiana(naturalCompression, { terms: 118 })", sgd(.5)],
  ["`adiana`, natural compression", "adiana(naturalCompression, { convexity: 0.01 })", sgd(.3)],
  ["`marina`, trellis dithering", "marina(subtractiveDithering({ omega: 0.5, states: 4 }))", sgd(.5)],
];

const { help, quick, epochs, seed } = parseArgs(Deno.args, {
  boolean: ["help", "quick"],
  string: ["epochs", "seed"],
  default: { epochs: "5", seed: "0" },
  unknown(option: string): never {
    throw new RangeError(`Cannot read option ${option}: expected --quick, --epochs N, --seed N, --help`);
  },
});
if (help) {
  console.log(
    `Trains the digits network with every per-step method on four ranks, prints a Markdown table of accuracy and
bytes, and writes it to out/compare.html. About ten minutes on two cores.

deno task compare [--epochs N] [--seed N] [--quick: 6 000 digits, one epoch]`,
  );
  Deno.exit();
}
const file = await Deno.makeTempFile(), rows: string[][] = [];
const bar = progress(RUNS.length, "{value}/{total} {name}");
let dense = NaN;
for (const [i, [name, method, options]] of RUNS.entries()) {
  bar.update(i, { name });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-read", "--allow-env", "--allow-write", new URL("./train.ts", import.meta.url).pathname],
      ...[
        "--method",
        method,
        ...options,
        "--json",
        file,
        "--epochs",
        epochs,
        "--seed",
        seed,
        ...quick ? ["--quick"] : [],
      ],
    ],
    stdout: "null",
  }).output();
  if (!success) throw new Error(`Cannot run ${method}: ${new TextDecoder().decode(stderr)}`);
  const figures: DigitsFigures = JSON.parse(await Deno.readTextFile(file));
  if (method === "average") dense = figures.accuracy;
  rows.push([
    name,
    `${(100 * figures.accuracy).toFixed(2)} %`,
    `${(100 * (figures.accuracy - dense)).toFixed(2)}`,
    (figures.encodedBytes / figures.steps).toFixed(0),
    `${(figures.floatBytes / figures.encodedBytes).toFixed(1)}`,
    figures.seconds.toFixed(1),
  ]);
}
bar.update(RUNS.length, { name: "runs" });
bar.stop();
await Deno.remove(file);

const head = ["method", "test accuracy", "against floats, points", "bytes per rank and step", "ratio", "seconds"];
const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
console.log(["", line(head), line(head.map((_, i) => i === 0 ? "---" : "---:")), ...rows.map(line)].join("\n"));
await Deno.mkdir("out", { recursive: true });
await Deno.writeTextFile(
  "out/compare.html",
  await page("Methods on the digits", [], [{ title: "Figures", head, rows }]),
);
