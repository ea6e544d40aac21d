/**
 * The laboratory: what compressors do to a vector, in a table, as CSV, SVG and one HTML page. `deno task lab --help`.
 *
 * @module
 */

import { describe, parseCompressor } from "../../mod.ts";
import { svg } from "../figures/chart.ts";
import { page } from "../figures/page.ts";
import { readOptions, runProgram, wholeNumber } from "../terminal/program.ts";
import { progress } from "../terminal/progress.ts";
import { digits, table } from "../terminal/table.ts";
import { chartsOf } from "./lab_charts.ts";
import { measure, verdict } from "./measure.ts";
import { CAPTURED, readVector } from "./vectors.ts";

const HELP = `Compares compressors on a vector.

deno task lab [options]
  --vector NAME       gaussian (default), heavyTailed, sparse, gradient1, gradient100, gradient1000 (captured before
                      with --capture), or the path of a .npy or .safetensors file
  --size N            numbers in a made vector; default 65536
  --compressor TEXT   one to compare, for instance 'eden({ bits: 2 })'; may be given several times; default: all
  --draws N           keys that each is measured with; default 10
  --seed N            default 0
  --out DIR           where lab.csv, lab.html, error.svg, distance.svg and time.svg go; default out/lab
  --capture           trains on the digits and keeps the gradients of steps 1, 100 and 1000
  --help`;

/** What is compared by default, each over its range. */
const CANDIDATES: readonly string[] = [
  "identity",
  ...[1, 4, 8, 64].flatMap((states) =>
    [2, 1, .5, .1, .01].map((omega) => `subtractiveDithering({ omega: ${omega}, states: ${states} })`)
  ),
  ...[.5, 1, 2, 3, 4].map((bits) => `eden({ bits: ${bits} })`),
  "drive",
  ...[1, 2, 3, 4].map((bits) => `quicFl({ bits: ${bits} })`),
  ...[.05, .1, .25, .5].map((nu) => `sparseDithering({ nu: ${nu}, rounding: "nearest" })`),
  ...[.05, .1, .25, .5].map((nu) => `sparseDithering({ nu: ${nu}, rounding: "nearest", coding: "entropy" })`),
  ...[.05, .1, .25, .5, .99].map((nu) =>
    `sparseDithering({ nu: ${nu}, rounding: "nearest", coding: "entropy", centroids: true, rateDistortion: 1 })`
  ),
  ...[.1, .25, 1, 4].map((nu) => `sparseDithering({ nu: ${nu}, rounding: "random" })`),
  ...[.1, .25, 1, 4].map((nu) => `sparseDithering({ nu: ${nu}, rounding: "random", coding: "entropy" })`),
  ...[.25, .5].map((alpha) => `sphericalCompression({ alpha: ${alpha} })`),
  ...[1, 3, 7, 15].map((levels) => `bucketed(dithering({ levels: ${levels}, norm: "max", coding: "entropy" }), 4096)`),
  ...[1, 3, 7, 15].map((levels) => `bucketed(qsgd({ levels: ${levels} }), 512)`),
  "ternGrad",
  "naturalCompression",
  ...[3, 7].map((levels) => `naturalDithering({ levels: ${levels}, norm: "max" })`),
  "oneBit",
  "scaledSign",
  ...[.001, .01, .05, .1].map((ratio) => `topK({ ratio: ${ratio} })`),
  ...[.01, .05, .1, .5].map((ratio) => `randK({ ratio: ${ratio} })`),
  ...[2, 4, 16].map((levels) => `stochasticLevels({ levels: ${levels} })`),
  "variableLength",
  ...["bf16", "fp16", "e4m3", "e5m2"].map((format) => `cast({ format: "${format}" })`),
  "blockwiseInt8",
];

async function main(args: readonly string[]): Promise<void> {
  const none: readonly string[] = [];
  const values = { vector: "gaussian", size: "65536", compressor: none, draws: "10", seed: "0", out: "out/lab" };
  const options = readOptions(args, values, ["capture"]);
  if (options.help) return console.log(HELP);
  const size = wholeNumber("size", options.size), draws = wholeNumber("draws", options.draws);
  const seed = wholeNumber("seed", options.seed, 0);
  if (options.capture) {
    const { capture } = await import("./capture.ts");
    return await capture(CAPTURED);
  }
  const compressors = (options.compressor.length > 0 ? options.compressor : CANDIDATES).map(parseCompressor);
  const x = await readVector(options.vector, size, seed);
  const bar = progress(compressors.length, ["{value}/{total}", "{name}"]);
  const measured = compressors.map((compressor, i) => {
    bar.update(i, { name: describe(compressor) });
    return measure(compressor, x, draws, seed);
  });
  bar.update(compressors.length, { name: "compressors" });
  bar.stop();

  const head = ["compressor", "bits a number", "error", "declared", "above bound", "encode ns", "decode ns"];
  // What loses nothing is infinitely far above the bound, and comes last.
  const key = ({ above }: { readonly above: number }) => Number.isFinite(above) ? above : Infinity;
  const rows = measured.toSorted((a, b) => key(a) - key(b)).map((one) => [
    describe(one.compressor),
    digits(one.bits),
    digits(one.error),
    digits(one.declared),
    digits(one.above, 3),
    digits(one.encode, 3),
    digits(one.decode, 3),
  ]);
  console.log(table(head, rows));
  const judged = verdict(x, measured);
  if (judged !== "") console.log(`\n${judged}`);
  const charts = chartsOf(options.vector, x, measured), folder = options.out;
  await Deno.mkdir(folder, { recursive: true });
  const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  const csv = [head, ...rows].map((row) => row.map(quote).join(",") + "\n").join("");
  await Deno.writeTextFile(`${folder}/lab.csv`, csv);
  for (const [name, chart] of Object.entries(charts)) await Deno.writeTextFile(`${folder}/${name}.svg`, svg(chart));
  await Deno.writeTextFile(
    `${folder}/lab.html`,
    await page("Gradwire laboratory", Object.values(charts), [{ title: "Figures", head, rows }]),
  );
  console.log(`\nWrote lab.csv, lab.html, ${Object.keys(charts).map((name) => `${name}.svg`).join(", ")} to ${folder}`);
}

await runProgram(main);
