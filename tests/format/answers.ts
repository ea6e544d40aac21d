/**
 * What the library answers to the examples of FORMAT.md and docs/format: each function is given the first line of an
 * example without its first word, and the fields of the other lines, and returns the whole example as it should read.
 *
 * @module
 */

import * as tf from "../../dependencies/tfjs.ts";
import { decodeIntegers, encodeIntegers } from "../../compressors/mod.ts";
import { keysOfStep } from "../../optimizers/methods/keys.ts";
import { digest } from "../../optimizers/files/digest.ts";
import { performTogether, runTogether } from "../../transport/drivers.ts";
import {
  average,
  bits,
  choose,
  collective,
  compress,
  context,
  decompress,
  DistributedOptimizer,
  type Exchange,
  fold,
  handshake,
  key,
  memory,
  normal,
  parseCompressor,
  parseMethod,
  saveCheckpoint,
  tcp,
  threefry,
  type WireRound,
  workspace,
} from "../../mod.ts";
import { freePort } from "../transport/tools/ports.ts";

/** The lines of an example after its first: a word, and what follows it. */
export type Fields = readonly (readonly [name: string, value: string])[];
/** The lines that should follow the first. */
export type Answer = (subject: string, fields: Fields) => Fields | Promise<Fields>;

/** The vector of examples that name no other. */
const x = [1, -2, 3, -4, 0, 0, 0.5, 0];
/** Stands for a digit that hangs on the clock. */
const STAR = 0x2a;
const encoder = new TextEncoder(), decoder = new TextDecoder();

const numbers = (text: string) => text.trim().split(/\s+/).map(Number);
/** Nine digits tell every float32 from its neighbours. */
const decimal = (vector: ArrayLike<number>) =>
  Array.from(vector, (value) => String(Number(value.toPrecision(9)) + 0)).join(" ");
const hex = (bytes: ArrayLike<number>) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const word = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
const words = (values: Iterable<number>) => Array.from(values, word).join(" ");

/** Text where all bytes are printable, else hexadecimal digits. */
const readable = (message: Uint8Array) =>
  message.length > 0 && message.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? decoder.decode(message.slice())
    : hex(message) || "nothing";

/** The functions that examples of random numbers call, by name; each returns what it draws as text. */
const draws: Readonly<Record<string, (...values: number[]) => string>> = {
  threefry(k0, k1, a, b) {
    const out = new Uint32Array(2);
    threefry(k0!, k1!, a!, b!, out, 0);
    return words(out);
  },
  bits: (seed, count) => words(bits(key(seed!), new Uint32Array(count!))),
  fold: (seed, data) => words(fold(key(seed!), data!)),
  choose: (seed, count, size) => choose(key(seed!), count!, size!).join(" "),
  normal: (seed, count, from = 0) => decimal(normal(key(seed!), new Float32Array(count!), from)),
  shared: (seed, step) => words(keysOfStep(seed!, step!).shared),
  keyOf: (seed, step, rank) => words(keysOfStep(seed!, step!).keyOf(rank!)),
};

/** What the ranks hand in to a round: once where it is the same for all. */
function handedIn(rounds: readonly WireRound[], show: (bytes: Uint8Array) => string): [op: string, handed: string] {
  const handed = rounds.map((round, rank) => {
    switch (round.op) {
      case "allReduce":
        return decimal(round.vector);
      case "allToAll":
        return round.messages.map(show).join(", ");
      case "allGather":
        return show(round.message);
      case "broadcast":
        return round.root === rank ? show(round.message) : "nothing";
    }
  });
  return [rounds[0]!.op, (new Set(handed).size === 1 ? handed.slice(0, 1) : handed).join(" | ")];
}

/** Performs the rounds of all ranks in one thread, and writes down what they hand in. */
function recorded<R>(exchanges: readonly Exchange<R>[], show: (bytes: Uint8Array) => string): [string, string][] {
  const log: [string, string][] = [];
  runTogether(exchanges, [], (rounds: readonly WireRound[]) => {
    log.push(handedIn(rounds, show));
    return performTogether(rounds);
  });
  return log;
}

export const answers: Readonly<Record<string, Answer>> = {
  compress(subject) {
    const compressor = parseCompressor(subject), message = compress(compressor, Float32Array.from(x), key(1));
    return [["message", hex(message)], ["decoded", decimal(decompress(compressor, message, key(1), x.length))]];
  },

  random: (_, fields) =>
    fields.map(([call]) => {
      const draw = draws[/^\w+/.exec(call)![0]]!;
      return [call, draw(...call.match(/-?\b\d+\b/g)!.map(Number))];
    }),

  integers(subject, fields) {
    const most = Number(subject.split(" ")[1]), values = Int32Array.from(numbers(Object.fromEntries(fields).values!));
    const message = new Uint8Array(64), end = encodeIntegers(values, most, message, 0);
    const back = decodeIntegers(message.subarray(0, end), 0, most, new Int32Array(values.length));
    return [["values", back.join(" ")], ["message", hex(message.subarray(0, end))]];
  },

  round(subject) {
    const layout = { names: ["a"], shapes: [[2, 4]], size: 8 }, method = parseMethod(subject);
    const gradients = [x, x.map((value) => -2 * value)].map((values) => Float32Array.from(values));
    const log = recorded(
      gradients.map((gradient, rank) => {
        const size = gradients.length, parameters = new Float32Array(layout.size);
        const told = { seed: 7, step: 0, rank, size, layout, workspace: workspace(), learningRate: 0.5, parameters };
        return method.reduce(gradient, method.init(layout, size), context(told));
      }),
      (bytes) => hex(bytes) || "nothing",
    );
    return [...log, ["result", decimal(gradients[0]!)]];
  },

  async step(subject) {
    const rounds: WireRound[][] = [[], []], slopes = [[1, 1], [3, 1]];
    const groups = memory(2).map((transport) => collective(transport));
    await Promise.all(groups.map(async (group, rank) => {
      const told = {
        ...group,
        perform(round: WireRound) {
          rounds[rank]!.push(round.op === "allReduce" ? { ...round, vector: round.vector.slice() } : round);
          return group.perform(round);
        },
      };
      const w = tf.variable(tf.tensor1d([1, 2]), true, ["w", "w_1"][rank]);
      const optimizer = new DistributedOptimizer(tf.train.sgd(0.5), {
        method: parseMethod(subject),
        group: told,
        seed: 7,
      });
      await optimizer.minimizeAsync(() => w.mul(tf.tensor1d(slopes[rank]!)).sum().asScalar(), false, [w]);
      optimizer.dispose();
      w.dispose();
    }));
    for (const group of groups) await group[Symbol.asyncDispose]();
    return rounds[0]!.map((round, i) => handedIn([round, rounds[1]![i]!], readable));
  },

  handshake(subject) {
    const [round] = recorded([handshake(JSON.parse(subject))], readable);
    return [["message", round![1]]];
  },

  async packets(subject, fields) {
    const given = Object.fromEntries(fields), sent: Uint8Array[] = [], ends = memory(2);
    const groups = ends.map((transport, rank) =>
      collective({
        ...transport,
        send(to, message) {
          if (rank === 0) sent.push(message.slice());
          return transport.send(to, message);
        },
      })
    );
    const bytes = Uint8Array.from((given.message ?? "").match(/../g) ?? [], (byte) => parseInt(byte, 16));
    await Promise.all(groups.map((group) =>
      group.perform(
        subject === "allReduce"
          ? { op: subject, vector: Float32Array.from(numbers(given.vector!)) }
          : { op: "allGather", message: bytes },
      )
    ));
    for (const group of groups) await group[Symbol.asyncDispose]();
    return [fields[0]!, ...sent.map((packet) => ["packet", hex(packet)] as const)];
  },

  async tcp(_, fields) {
    const port = freePort(), first = tcp({ rank: 0, size: 2, host: "127.0.0.1", port, timeout: 5000 });
    const bytesOf = (text: string) => {
      const [, digits, json] = /^((?:[0-9a-f]+ ?)*)(.*)$/.exec(text)!;
      return Uint8Array.of(
        ...digits!.match(/[0-9a-f]{2}/g)!.map((byte) => parseInt(byte, 16)),
        ...encoder.encode(json),
      );
    };
    let conn: Deno.TcpConn | undefined;
    while (conn === undefined) conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    const group = first.then((transport) => collective(transport));
    let round: Promise<unknown> | undefined, leaving: Promise<void> | undefined;
    const log: [string, string][] = [];
    for (const [who, text] of fields) {
      const bytes = bytesOf(text), kind = bytes[4], said = new Uint8Array(bytes.length);
      if (who === "rank1") {
        for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
        log.push([who, text]);
        continue;
      }
      if (kind === 0 && bytes.length > 12) {
        round = (await group).perform({ op: "allGather", message: Uint8Array.of(7, 8, 9) });
      }
      if (kind === 7) await round, leaving = Promise.resolve((await group)[Symbol.asyncDispose]());
      for (let done = 0; done < said.length;) done += (await conn.read(said.subarray(done)))!;
      const same = said.every((byte, i) => byte === bytes[i] || (bytes[i] === STAR && byte >= 0x30 && byte <= 0x39));
      log.push([who, same ? text : hex(said)]);
    }
    conn.close();
    await leaving;
    return log;
  },

  digest: (_, fields) => {
    const text = Object.fromEntries(fields).text!;
    return [["text", text], ["digest", digest().text(text).hex()]];
  },

  async checkpoint() {
    const group = collective(memory(1)[0]!);
    const optimizer = new DistributedOptimizer(tf.train.sgd(0.5), { method: average(), group, seed: 7 });
    const file = saveCheckpoint(optimizer), header = new DataView(file.buffer).getUint32(0, true);
    optimizer.dispose();
    await group[Symbol.asyncDispose]();
    return [["bytes", hex(file.subarray(0, 8))], ["header", decoder.decode(file.subarray(8, 8 + header)).trimEnd()]];
  },
};
