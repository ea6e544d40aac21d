/**
 * The laboratory: what compressors do to a vector, in a table, as CSV, SVG and one HTML page. `deno task lab --help`.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse_args.js";
import {
  compress,
  type Compressor,
  decompress,
  describe,
  fold,
  isContractive,
  isUnbiased,
  key,
  normal,
  parseCompressor,
  uniform,
} from "../../mod.ts";
import { type Chart, page, type Series, svg } from "../figures/chart.ts";
import { readNpy } from "./npy.ts";
import { progress } from "../terminal/progress.ts";
import { digits, table } from "../terminal/table.ts";

const HELP = `Compares compressors on a vector.

deno task lab [options]
  --vector NAME       gaussian (default), heavyTailed, sparse, gradient1, gradient100, gradient1000 (captured before
                      with --capture), or the path of a .npy or .safetensors file
  --size N            numbers in a made vector; default 65536
  --compressor TEXT   one to compare, for instance 'eden({ bits: 2 })'; may be given several times; default: all
  --draws N           keys that each is measured with; default 10
  --seed N            default 0
  --out DIR           where lab.csv, lab.svg and lab.html go; default out/lab
  --capture           trains on the digits and keeps the gradients of steps 1, 100 and 1000
  --help`;

/** The families that are compared by default, each over its range. */
const FAMILIES: readonly string[] = [
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
  ...[.001, .01, .1].map((ratio) => `topK({ ratio: ${ratio} })`),
  ...[.01, .1, .5].map((ratio) => `randK({ ratio: ${ratio} })`),
  ...[2, 4, 16].map((levels) => `stochasticLevels({ levels: ${levels} })`),
  "variableLength",
  ...["bf16", "fp16", "e4m3", "e5m2"].map((format) => `cast({ format: "${format}" })`),
  "blockwiseInt8",
];

/** What was measured of one compressor on one vector. */
interface Row {
  readonly compressor: Compressor;
  /** 8 · bytes / size, the mean over draws. */
  readonly bits: number;
  /** ‖C(x) − x‖² / ‖x‖², the mean over draws. */
  readonly error: number;
  /** ω or α. */
  readonly declared: number;
  /** The error of the compressor as a contraction: α, or ω / (1 + ω) of the unbiased one scaled by 1 / (1 + ω). */
  readonly alpha: number;
  /** Bits above ½ log₂(1 / alpha). */
  readonly above: number;
  /** Megabytes of float32 per second. */
  readonly encode: number;
  readonly decode: number;
}

function measure(compressor: Compressor, x: Float32Array, draws: number, seed: number): Row {
  let bytes = 0, error = 0, encoding = 0, decoding = 0;
  const norm = x.reduce((sum, v) => sum + v * v, 0), buffer = new Uint8Array(compressor.maxByteLength(x.length));
  for (let draw = 0; draw <= draws; draw++) {
    const k = fold(key(seed), draw), start = performance.now();
    const message = compress(compressor, x, k, buffer), middle = performance.now();
    const y = decompress(compressor, message, k, x.length), end = performance.now();
    if (draw === 0) continue; // the first call is compiled on the way
    bytes += message.length / draws, encoding += (middle - start) / draws, decoding += (end - middle) / draws;
    error += y.reduce((sum, v, i) => sum + (v - x[i]!) ** 2, 0) / norm / draws;
  }
  const unbiased = isUnbiased(compressor) && !(isContractive(compressor) && compressor.alpha(x.length) === 0);
  const bits = 8 * bytes / x.length, alpha = unbiased ? error / (1 + error) : error;
  const speed = (ms: number) => x.byteLength / ms / 1e3;
  return {
    compressor,
    bits,
    error,
    declared: unbiased ? compressor.omega(x.length) : isContractive(compressor) ? compressor.alpha(x.length) : NaN,
    alpha,
    above: bits - Math.log2(1 / alpha) / 2,
    encode: speed(encoding),
    decode: speed(decoding),
  };
}

/** A vector that is made, by name. */
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

const CAPTURED = "out/gradients";

async function vector(name: string, size: number, seed: number): Promise<Float32Array> {
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
  tensors.reduce((at, data) => (whole.set(data, at), at + data.length), 0);
  return whole;
}

/** Bits a coordinate that draws and interpolation may account for. */
const MARGIN = 0.01;

/**
 * Who needs fewer bits than the trellis (subtractive dithering) at equal error on this vector, and why that can be.
 * Its bits at another error are interpolated between its own rows.
 */
function verdict(x: Float32Array, rows: readonly Row[]): string {
  const isTrellis = ({ compressor: { name } }: Row) => name === "subtractiveDithering";
  const states = Math.max(0, ...rows.filter(isTrellis).map(({ compressor }) => Number(compressor.options.states)));
  const trellis = rows.filter((row) => isTrellis(row) && row.compressor.options.states === states)
    .sort((a, b) => a.alpha - b.alpha);
  const margins = rows.filter((row) => !isTrellis(row)).flatMap((row) => {
    const next = trellis.findIndex(({ alpha }) => alpha >= row.alpha);
    if (next < 1) return [];
    const [low, high] = [trellis[next - 1]!, trellis[next]!];
    const part = Math.log(row.alpha / low.alpha) / Math.log(high.alpha / low.alpha);
    return [{ row, saved: low.bits + part * (high.bits - low.bits) - row.bits }];
  });
  if (margins.length === 0) return "";
  const better = margins.filter(({ saved }) => saved > MARGIN).sort((a, b) => b.saved - a.saved),
    name = `the trellis of ${states} states`;
  if (better.length === 0) {
    return `At equal error none of the ${margins.length} operators within its range needs fewer bits than ${name}.`;
  }
  const squares = x.map((v) => v * v).sort(), total = squares.reduce((sum, v) => sum + v, 0);
  let few = 0;
  for (let sum = 0; few < x.length && sum < .99 * total; few++) sum += squares[x.length - 1 - few]!;
  const unbiased = better.filter(({ row }) => isUnbiased(row.compressor));
  return [
    `At equal error these need fewer bits than ${name}:`,
    ...better.map(({ row, saved }) => `  ${describe(row.compressor)}: ${digits(saved, 2)} bits a coordinate fewer`),
    unbiased.length > 0
      ? `Of these ${unbiased.length} are unbiased.`
      : "None of them is unbiased; among the operators that declare ω the trellis needs the fewest bits.",
    `${
      digits(100 * few / x.length, 2)
    } % of the coordinates hold 99 % of ‖x‖². On sparse vectors rounding to the nearest level makes`,
    "almost everything a zero, which an entropy coder sends for next to nothing, at the price of a bias; a dither has to be",
    "rounded in every coordinate, and so costs bits where there is nothing to send.",
  ].join("\n");
}

/** Beyond these bits only the table shows a compressor: the curves of interest lie close together before. */
const SHOWN = 6;

function chartsOf(name: string, rows: readonly Row[]): [Chart, Chart] {
  const families = new Map<string, Row[]>();
  for (const row of rows.filter(({ bits }) => bits <= SHOWN)) {
    const name = familyOf(row.compressor);
    families.set(name, [...families.get(name) ?? [], row]);
  }
  const series = (y: (row: Row) => number): Series[] =>
    [...families].map(([name, family]) => ({
      name,
      style: family.length === 1 ? "points" : "line",
      points: family.toSorted((a, b) => a.bits - b.bits).map((row) => [row.bits, y(row)] as const),
    }));
  const x = { name: "bits per coordinate" }, bound = Array.from({ length: 101 }, (_, i) => SHOWN * i / 100);
  return [{
    title: `Error against bits: ${name}`,
    x,
    y: { name: "relative square error (unbiased ones scaled by 1/(1+ω))", log: true },
    series: [
      { name: "lower bound, α = 4^−bits", style: "dashed", points: bound.map((bits) => [bits, 4 ** -bits] as const) },
      ...series(({ alpha }) => alpha),
    ],
  }, {
    title: `Bits above the lower bound ½ log₂(1/α): ${name}`,
    x,
    y: { name: "bits per coordinate above the bound" },
    series: series(({ above }) => above),
  }];
}

/** What one curve joins: a compressor over its main option. */
function familyOf(compressor: Compressor): string {
  const { name, options } = compressor;
  if (name === "subtractiveDithering") return `${name}, ${options.states} state${options.states === 1 ? "" : "s"}`;
  const inner = /^\w+\((\w+)/.exec(describe(compressor))?.[1];
  const joint = options.rateDistortion === undefined ? undefined : "joint";
  return [name, options.rounding, joint, options.coding, inner].filter((part) => part !== undefined).join(" ");
}

async function main(args: string[]): Promise<void> {
  const known = ["vector", "size", "compressor", "draws", "seed", "out", "capture", "help"];
  const options = parseArgs(args, {
    string: ["vector", "size", "draws", "seed", "out", "compressor"],
    boolean: ["capture", "help"],
    collect: ["compressor"],
    default: { vector: "gaussian", size: "65536", draws: "10", seed: "0", out: "out/lab" },
    unknown(option: string): never {
      throw new RangeError(
        `Cannot read option ${option}: expected one of ${known.map((name) => `--${name}`).join(", ")}`,
      );
    },
  });
  if (options.help) return console.log(HELP);
  const [size, draws, seed] = (["size", "draws", "seed"] as const).map((name) => {
    const value = Number(options[name]);
    if (!Number.isSafeInteger(value) || value < (name === "seed" ? 0 : 1)) {
      throw new RangeError(`Cannot read --${name} ${options[name]}: expected a whole number`);
    }
    return value;
  }) as [number, number, number];
  if (options.capture) {
    const { capture } = await import("./capture.ts");
    return await capture(CAPTURED);
  }
  const compressors = (options.compressor.length > 0 ? options.compressor as string[] : FAMILIES).map(parseCompressor);
  const x = await vector(options.vector, size, seed);
  const bar = progress(compressors.length, "{value}/{total} {name}");
  const rows = compressors.map((compressor, i) => {
    bar.update(i, { name: describe(compressor) });
    return measure(compressor, x, draws, seed);
  }).sort((a, b) => (Number.isFinite(a.above) ? a.above : Infinity) - (Number.isFinite(b.above) ? b.above : Infinity));
  bar.update(compressors.length, { name: "compressors" });
  bar.stop();

  const head = ["compressor", "bits/coordinate", "error", "declared", "above bound", "encode MB/s", "decode MB/s"];
  const cells = rows.map(({ compressor, bits, error, declared, above, encode, decode }) => [
    describe(compressor),
    digits(bits),
    digits(error),
    digits(declared),
    digits(above, 3),
    digits(encode, 3),
    digits(decode, 3),
  ]);
  console.log(table(head, cells));
  const judged = verdict(x, rows);
  if (judged !== "") console.log(`\n${judged}`);
  await Deno.mkdir(options.out, { recursive: true });
  const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  await Deno.writeTextFile(
    `${options.out}/lab.csv`,
    [head, ...cells].map((row) => row.map(quote).join(",")).join("\n") + "\n",
  );
  const drawn = chartsOf(`${options.vector}, ${x.length} numbers`, rows);
  await Deno.writeTextFile(`${options.out}/lab.svg`, svg(drawn[0]));
  await Deno.writeTextFile(
    `${options.out}/lab.html`,
    await page("Gradwire laboratory", drawn, [{ title: "Figures", head, rows: cells }]),
  );
  console.log(`\nWrote ${options.out}/lab.csv, lab.svg and lab.html`);
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
