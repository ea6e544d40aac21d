/**
 * Trains a network on handwritten digits over several ranks: `deno task train --help`.
 *
 * This file reads the options and starts the ranks; what each of them runs is digits_rank.ts.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse_args.js";
import { parseCompressor } from "../../compressors/mod.ts";
import { launch, LaunchError } from "../../transport/launch/mod.ts";
import { type DigitsOptions, makeMethod } from "./digits_options.ts";

const HELP = `Trains a 784-128-10 network on the 60 000 MNIST digits over several ranks.

deno task train [options]
  --ranks N            how many ranks train together; default 4. 1 compresses too ('average(identity)' does not)
  --transport NAME     broadcast (workers of one process; default) or tcp (processes)
  --method NAME       errorFeedback (default), diana, average, none, or any method as a call: 'ef21(topK({ k: 99 }))'
  --compressor TEXT    for instance 'topK({ ratio: 0.01 })'; default: sparse dithering of the kind the method takes
  --epochs N           default 5
  --batch N            digits per rank and step; default 128
  --optimizer NAME     adam (default), sgd, momentum: what is wrapped. Methods with momentum of their own want sgd
  --rate X             its learning rate; default 0.005, 0.1, 0.05
  --seed N             default 0
  --backend NAME       wasm (default) or cpu
  --json FILE          also writes the figures there (needs --allow-write)
  --quick              one epoch of 6 000 digits
  --help`;

const DEFAULTS = {
  ranks: "4",
  transport: "broadcast",
  method: "errorFeedback",
  epochs: "5",
  batch: "128",
  optimizer: "adam",
  seed: "0",
  backend: "wasm",
};

interface Given {
  readonly rate?: string;
  readonly compressor?: string;
  readonly json?: string;
  readonly quick: boolean;
  readonly help: boolean;
}

const RATES = { adam: .005, sgd: .1, momentum: .05 };

async function main(args: readonly string[]): Promise<void> {
  const known = [...Object.keys(DEFAULTS), "rate", "compressor", "json", "quick", "help"];
  const read = parseArgs([...args], {
    string: [...Object.keys(DEFAULTS), "rate", "compressor", "json"],
    boolean: ["quick", "help"],
    default: DEFAULTS,
    unknown(option: string): never {
      throw new RangeError(
        `Cannot read option ${option}: expected one of ${known.map((name) => `--${name}`).join(", ")}`,
      );
    },
  }) as unknown as Record<keyof typeof DEFAULTS, string> & Given;
  if (read.help) return console.log(HELP);
  const number = (name: "ranks" | "epochs" | "batch" | "seed", least: number) => {
    const value = Number(read[name]);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new RangeError(`Cannot read --${name} ${read[name]}: expected a whole number from ${least} on`);
  };
  const oneOf = <T extends string>(name: "transport" | "backend" | "optimizer", ...values: T[]): T => {
    if (values.includes(read[name] as T)) return read[name] as T;
    throw new RangeError(`Cannot read --${name} ${read[name]}: expected ${values.join(" or ")}`);
  };
  const optimizer = oneOf("optimizer", "adam", "sgd", "momentum");
  const rate = Number(read.rate ?? RATES[optimizer]);
  if (!(rate > 0)) throw new RangeError(`Cannot read --rate ${read.rate}: expected a positive number`);
  const options: DigitsOptions = {
    ranks: number("ranks", 1),
    method: read.method,
    ...(read.compressor === undefined ? {} : { compressor: read.compressor }),
    ...(read.json === undefined ? {} : { json: read.json }),
    epochs: read.quick ? 1 : number("epochs", 1),
    batch: number("batch", 1),
    seed: number("seed", 0),
    optimizer,
    rate,
    backend: oneOf("backend", "wasm", "cpu"),
    digits: read.quick ? 6000 : 60_000,
  };
  if (options.compressor !== undefined) parseCompressor(options.compressor);
  makeMethod(options); // says here, and once, what every rank would say
  const transport = oneOf("transport", "broadcast", "tcp");
  await launch({
    script: new URL("./rank.ts", import.meta.url),
    ranks: options.ranks,
    transport,
    processes: transport === "tcp",
    args: [JSON.stringify(options)],
    prefix: false,
    flags: ["--allow-net=127.0.0.1"],
  });
}

try {
  await main(Deno.args);
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(error.message);
  Deno.exit(error instanceof LaunchError ? error.code : 1);
}
