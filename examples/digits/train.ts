/**
 * Trains a network on handwritten digits over several ranks: `deno task train --help`.
 *
 * This file reads the options and starts the ranks; what each of them runs is rank.ts.
 *
 * @module
 */

import { parseCompressor } from "../../compressors/mod.ts";
import { launch, LaunchError } from "../../transport/launch/mod.ts";
import { readOptions, runProgram, wholeNumber } from "../terminal/program.ts";
import { type DigitsOptions, makeMethod } from "./digits_options.ts";

const HELP = `Trains a 784-128-10 network on the 60 000 MNIST digits over several ranks.

deno task train [options]
  --ranks N            how many ranks train together; default 4. 1 compresses too ('average(identity)' does not)
  --transport NAME     broadcast (workers of one process; default) or tcp (processes)
  --method NAME        errorFeedback (default), diana, average, none, or any method as a call: 'ef21(topK({ k: 99 }))'
  --compressor TEXT    for instance 'topK({ ratio: 0.01 })'; default: sparse dithering of the kind the method takes
  --epochs N           default 5
  --batch N            digits in a step, divided among the ranks; default 512. More ranks then take the same steps, so
                       that the learning rate need not change
  --optimizer NAME     adam (default), sgd, momentum: what is wrapped. Methods with momentum of their own want sgd
  --rate X             its learning rate; default 0.005, 0.1, 0.05
  --seed N             default 0
  --backend NAME       wasm (default) or cpu
  --json FILE          also writes the figures there (needs --allow-write)
  --quick              one epoch of 6 000 digits
  --help`;

const RATES = { adam: .005, sgd: .1, momentum: .05 };

function oneOf<T extends string>(name: string, text: string, values: readonly T[]): T {
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw new RangeError(`Cannot read --${name} ${text}: expected ${values.join(" or ")}`);
}

async function main(args: readonly string[]): Promise<void> {
  const values = {
    ranks: "4",
    transport: "broadcast",
    method: "errorFeedback",
    compressor: undefined,
    epochs: "5",
    batch: "512",
    optimizer: "adam",
    rate: undefined,
    seed: "0",
    backend: "wasm",
    json: undefined,
  };
  const read = readOptions(args, values, ["quick"]);
  if (read.help) return console.log(HELP);
  const optimizer = oneOf("optimizer", read.optimizer, ["adam", "sgd", "momentum"]);
  const rate = Number(read.rate ?? RATES[optimizer]), ranks = wholeNumber("ranks", read.ranks);
  if (!(rate > 0)) throw new RangeError(`Cannot read --rate ${read.rate}: expected a positive number`);
  const options: DigitsOptions = {
    ranks,
    method: read.method,
    ...(read.compressor === undefined ? {} : { compressor: read.compressor }),
    ...(read.json === undefined ? {} : { json: read.json }),
    epochs: read.quick ? 1 : wholeNumber("epochs", read.epochs),
    batch: Math.ceil(wholeNumber("batch", read.batch) / ranks),
    seed: wholeNumber("seed", read.seed, 0),
    optimizer,
    rate,
    backend: oneOf("backend", read.backend, ["wasm", "cpu"]),
    digits: read.quick ? 6000 : 60_000,
  };
  // What every rank would refuse is refused here, once and before anything is trained.
  if (options.compressor !== undefined) parseCompressor(options.compressor);
  makeMethod(options);
  const { json } = options;
  if (json !== undefined && (await Deno.permissions.query({ name: "write", path: json })).state !== "granted") {
    throw new Error(`Cannot write --json ${json}: Deno was started without --allow-write`);
  }
  const transport = oneOf("transport", read.transport, ["broadcast", "tcp"]);
  await launch({
    script: new URL("./rank.ts", import.meta.url),
    ranks,
    transport,
    processes: transport === "tcp",
    args: [JSON.stringify(options)],
    prefix: false,
    flags: ["--allow-net=127.0.0.1"],
  });
}

await runProgram(main, (error) => error instanceof LaunchError ? error.code : 1);
