/** The examples and tables of FORMAT.md and docs/format say what the library does. @module */

import { assertEquals } from "@std/assert/mod.js";
import * as compressors from "../../compressors/factories.ts";
import { quicFlTable } from "../../compressors/kernels/quic_fl_table.ts";
import { squaredError, trellis, type TrellisStates, trellisStates } from "../../compressors/coding/trellis.ts";
import { DISTORTION, LLOYD_MAX } from "../../compressors/quantizers/eden/lloyd_max.ts";
import { oneBitRows } from "../../compressors/quantizers/quic_fl/one_bit_rows.ts";
import { QUIC_FL } from "../../compressors/quantizers/quic_fl/quic_fl_tables.ts";
import * as methods from "../../optimizers/methods/factories.ts";
import { answers, type Fields } from "./answers.ts";

const parts = ["codes", "compressors", "methods", "files", "transport"];
const documents = await Promise.all(
  ["FORMAT", ...parts.map((part) => `docs/format/${part}`)].map(async (name) => {
    const text = await Deno.readTextFile(new URL(`../../${name}.md`, import.meta.url));
    return { name: `${name}.md`, text };
  }),
);

/** Everything that stands in fences of a kind. */
function fences(kind: string): { file: string; title: string; lines: readonly string[] }[] {
  return documents.flatMap(({ name, text }) =>
    Array.from(text.matchAll(new RegExp(`^\`\`\`${kind} ?(.*)\n([^]*?)^\`\`\``, "gm")), ([, title, body]) => ({
      file: name,
      title: title!,
      lines: body!.trimEnd().split("\n"),
    }))
  );
}

/** The first word of a line, or the call before an equals sign, and the rest. */
function fieldsOf(lines: readonly string[]): Fields {
  return lines.map((line) => {
    const [, call, drawn, name, value] = /^(\w+\(.*\)) = (.*)$|^(\S+) ?(.*)$/.exec(line)!;
    return [call ?? name!, drawn ?? value!] as const;
  });
}

const examples = fences("example");

for (const { file, lines: [first, ...rest] } of examples) {
  const [[kind, subject]] = fieldsOf([first!]) as [readonly [string, string]];
  Deno.test({
    name: `format: ${file}: ${first}`,
    async fn() {
      const fields = fieldsOf(rest), answer = answers[kind];
      if (!answer) throw new Error(`${file} has an example of ${kind}, expected one of ${Object.keys(answers)}`);
      assertEquals(plain(fields), plain(await answer(subject, fields)));
    },
  });
}

/** Without the spaces that hexadecimal digits may have. */
function plain(fields: Fields): string[] {
  return fields.map(([name, value]) =>
    `${name} ${
      ["message", "packet", "bytes"].includes(name) ? value.replace(/(?<=[0-9a-f]) (?=[0-9a-f])/g, "") : value
    }`
  );
}

Deno.test("format: every compressor has an example under its name", () => {
  const { text } = documents.find(({ name }) => name === "docs/format/compressors.md")!;
  const lacking = Object.keys(compressors).filter((factory) =>
    !new RegExp(`^## ${factory}\n(?:(?!^## )[^])*?^\`\`\`example\ncompress ${factory}\\b`, "m").test(text)
  );
  assertEquals(lacking, [], "these have no example");
  const titles = Array.from(text.matchAll(/^## (.*)$/gm), ([, title]) => title!);
  assertEquals(titles, titles.toSorted((a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1), "from A to Z");
});

Deno.test("format: every method is named in its document", () => {
  const { text } = documents.find(({ name }) => name === "docs/format/methods.md")!;
  assertEquals(Object.keys(methods).filter((method) => !text.includes(`\`${method}\``)), []);
});

Deno.test("format: the vectors of every state stand in its document", () => {
  const { text } = documents.find(({ name }) => name === "docs/format/methods.md")!;
  const known = new Set(text.slice(text.indexOf("\n## States")).match(/(?<=`)[\w.]+(?=`)/g));
  const layout = { names: ["a"], shapes: [[2, 4]], size: 8 }, topK = compressors.topK({ k: 1 });
  const { identity } = compressors, sampled = { fraction: 0.5, localSteps: 2 };
  for (
    const method of [
      methods.diana(identity()),
      methods.vrDiana(identity(), { terms: 2 }),
      methods.vrDiana(identity(), { terms: 2, form: "table" }),
      methods.ef21(topK),
      methods.ef21(topK, { plus: true }),
      methods.errorFeedback(topK, { delay: 2 }),
      methods.marina(identity()),
      methods.adiana(identity(), { convexity: 1 }),
      methods.doubleSqueeze(topK),
      methods.distEf(),
      methods.oneBitSgd(),
      methods.oneBitAdam({ warmupSteps: 1 }),
      methods.powerSgd(),
      methods.deepGradientCompression(),
      methods.majorityVote(),
      methods.scaffold(sampled),
      methods.structuredUpdate({ localSteps: 2, ratio: 0.5 }),
      methods.fedAvg(sampled),
    ]
  ) {
    const { local, shared } = method.init(layout, 2);
    assertEquals(Object.keys({ ...local, ...shared }).filter((name) => !known.has(name)), [], method.name);
  }
});

/** A number, which may be a quotient. */
function numberOf(text: string): number {
  const [over, under = 1] = text.split("/").map(Number);
  return over! / under;
}

/** The numbers of a table, row by row. Rows of words are its head. */
function table(title: string): number[][] {
  const found = fences("table").filter((fence) => fence.title === title);
  assertEquals(found.length, 1, `tables named ${title}`);
  return found[0]!.lines.map((line) => line.split(" ").map(numberOf)).filter((row) =>
    row.every((v) => !Number.isNaN(v))
  );
}

Deno.test("format: tables hold the library's numbers", () => {
  const codes = trellisStates.map((states) => trellis(states as TrellisStates));
  const lengths = fences("table").find(({ title }) => title === "start")!.lines[0]!.split(" ").slice(1).map(Number);
  for (const [row, [states, bits, h0, h1, limit]] of table("trellis").entries()) {
    const code = codes[row]!, [a, b] = [h0, h1].map((octal) => parseInt(String(octal), 8));
    assertEquals([states, bits, limit], [code.states, code.bits, code.limit]);
    const next = Array.from({ length: 2 * states! }, (_, i) => {
      const s = i >> 1, z0 = s >> (bits! - 1);
      return states === 1 ? 0 : ((s << 1) ^ (a! * z0) ^ (b! * (i & 1))) & (states! - 2) | z0;
    });
    assertEquals(next, [...code.next], `next states of ${states}`);
    const [, ...start] = table("start")[row]!;
    assertEquals(lengths.map((k) => squaredError(code, k)), start.map((e, i) => limit! * lengths[i]! + e));
  }
  assertEquals(table("trellis").length, codes.length);
  assertEquals(table("lloyd-max").map(([, ...row]) => row), LLOYD_MAX.slice(1).map((row) => [...row]));
  assertEquals(table("distortion"), DISTORTION.map((value, bits) => [bits, value]));
  assertEquals(
    table("quic-fl"),
    QUIC_FL.map(({ rows, gaussian, half }, i) => {
      const { nodes } = quicFlTable(i + 1, rows, i === 0 ? oneBitRows(rows) : half);
      return [i + 1, rows, nodes[0]!, nodes.at(-1)!, gaussian];
    }),
  );
  for (const bits of [2, 3, 4]) assertEquals(table(`quic-fl-${bits}`).flat(), [...QUIC_FL[bits - 1]!.half]);
});
