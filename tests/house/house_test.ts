/** Each rule of the house finds what it is for, on a few lines that break it, and nothing beside. @module */

import { assertEquals } from "@std/assert/mod.js";
import { circles } from "./circles.ts";
import { documented } from "./documented.ts";
import { links } from "./links.ts";
import { mirrors } from "./mirrors.ts";
import { names } from "./names.ts";
import { orphans } from "./orphans.ts";
import { sizes } from "./sizes.ts";
import { sourcesOf } from "./source.ts";
import type { Rule } from "./tree.ts";
import { upward } from "./upward.ts";

type Files = Readonly<Record<string, string>>;

const house = {
  ground: { holds: "", paths: "random.ts kernels/", imports: "" },
  coding: { holds: "", paths: "coding/", imports: "ground" },
  quantizers: { holds: "", paths: "coding/quantizers/ top.ts", imports: "coding" },
  tests: { holds: "", paths: "tests/", imports: "all" },
};
const kept = { "kernels/k.ts": "", "coding/quantizers/q.ts": "", "tests/t.ts": "" };
const used = {
  ...kept,
  "top.ts": 'import "./coding/a.ts";\n',
  "coding/a.ts": 'import "../random.ts";\n',
  "random.ts": "",
};
const entries = JSON.stringify({ name: "@a/b", exports: { ".": "./mod.ts", "./more": "./more.ts" } });
const lines = (count: number) => "// a line\n".repeat(count);
const siblings = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`room/${i}.json`, ""]));

/** A rule, the files that it looks at, and what it finds in them: places with what stands there, or nothing. */
const cases: readonly [says: string, rule: Rule, files: Files, ...found: string[]][] = [
  ["imports go down", upward(house), used],
  [
    "a file below imports one above",
    upward(house),
    { ...used, "kernels/a.ts": '\nimport type { A } from "../coding/a.ts";\n' },
    "kernels/a.ts:2 ground imports coding/a.ts of coding",
  ],
  [
    "a room imports another that is not listed, by a dynamic import, and by the address of a worker",
    upward(house),
    { ...used, "top.ts": used["top.ts"] + 'await import("./random.ts");\nnew URL("./random.ts", import.meta.url);\n' },
    "top.ts:2 quantizers imports random.ts of ground",
    "top.ts:3 quantizers imports random.ts of ground",
  ],
  [
    "the longest path decides",
    upward(house),
    { ...used, "coding/quantizers/b.ts": 'import "../../random.ts";\n' },
    "coding/quantizers/b.ts:1 quantizers imports random.ts of ground",
  ],
  ["a file in no room", upward(house), { ...used, "new/a.ts": "" }, "new/a.ts:0 is in no room"],
  [
    "a list that points upward, or where nothing goes",
    upward({
      ...house,
      ground: { ...house.ground, imports: "tests" },
      late: { holds: "", paths: "z/", imports: "tests" },
    }),
    used,
    "tests/house/layers.ts:0 ground may import tests",
    "tests/house/layers.ts:0 late has no z/",
    "tests/house/layers.ts:0 ground imports nothing of tests",
    "tests/house/layers.ts:0 late imports nothing of tests",
  ],

  [
    "no circle, though two files import one",
    circles,
    { "a.ts": 'import "./b.ts";\nimport "./c.ts";\n', "b.ts": 'export * from "./c.ts";\n', "c.ts": "" },
  ],
  [
    "a circle of which a part is a type",
    circles,
    {
      "a.ts": 'import { b } from "./b.ts";\n',
      "b.ts": 'export { c } from "./c.ts";\n',
      "c.ts": '\nimport type { A } from "./a.ts";\n',
    },
    "a.ts:1 imports itself: a.ts → b.ts → c.ts → a.ts",
  ],
  [
    "two circles of two files each, one by a dynamic import",
    circles,
    {
      "a.ts": 'import {\n  b,\n} from "./b.ts";\n',
      "b.ts": 'const load = () => import("./a.ts");\nimport { c } from "./c.ts";\n',
      "c.ts": 'import { b } from "./b.ts";\n',
    },
    "a.ts:1 imports itself: a.ts → b.ts → a.ts",
    "b.ts:2 imports itself: b.ts → c.ts → b.ts",
  ],
  ["a worker that imports what starts it is no circle", circles, {
    "a.ts": 'new URL("./worker.ts", import.meta.url);\n',
    "worker.ts": 'import "./a.ts";\n',
  }],

  ["what is public, or passed on under another name, is used", orphans, {
    "deno.json": entries,
    "mod.ts": 'export * from "./a.ts";\nexport { b as c, type D } from "./b.ts";\n',
    "more.ts": "export const more = 1;\n",
    "a.ts": "export function a() {}\nexport interface A {}\n",
    "b.ts": "export const b = 1;\nexport type D = 1;\n",
  }],
  [
    "what no file imports, and what only tests use",
    orphans,
    {
      "a.ts": "export const a = 1, b = a;\nexport class C {}\nexport type D = C;\nexport const e = 1;\n",
      "b.ts": 'import { a } from "./a.ts";\n',
      "tests/a_test.ts": 'import { type D, e } from "../a.ts";\nexport const free = 1;\n',
    },
    "a.ts:2 exports C, which no other file imports",
    "a.ts:3 exports D, which only tests use",
    "a.ts:4 exports e, which only tests use",
  ],
  [
    "members of a module, and names that are passed on to nobody",
    orphans,
    {
      "a.ts": "export const a = 1;\nexport const b = 1;\nexport const c = 1;\n",
      "b.ts": 'import * as all from "./a.ts";\nexport { c } from "./a.ts";\nall.a;\n// all.b\n',
    },
    "a.ts:2 exports b, which no other file imports",
    "a.ts:3 exports c, which no other file imports",
    "b.ts:2 exports c, which no other file imports",
  ],

  ["links that lead somewhere", links, {
    "README.md":
      "# A `b`, c\n[x](docs/a.md#two-words) [y](#a-b-c) [z](https://a.b) `[no](no.md)`\n\n```\n[no](no)\n```\n",
    "docs/a.md": '## Two words!\n[up](../README.md) ![](a.svg "title") [folder](../docs/)\n',
    "docs/a.svg": "",
  }],
  [
    "links that lead nowhere",
    links,
    { "docs/a.md": '# A\n[x](b.md)\n[y](#b) [z](a.md#a)\n<img src="c.svg">\n\n[ref]: d.md\n' },
    "docs/a.md:2 links to b.md",
    "docs/a.md:3 links to #b",
    "docs/a.md:4 links to c.svg",
    "docs/a.md:6 links to d.md",
  ],

  [
    "a factory that its document leaves out",
    documented({ "factories.ts": "a.md" }),
    {
      "factories.ts":
        'export { a, type A } from "./a.ts";\nexport { b } from "./b.ts";\nexport { c, d } from "./b.ts";\n',
      "a.ts": 'import type { B } from "./types.ts";\nexport const a = 1;\nexport type { B as A };\n',
      "types.ts": "export type B = 1;\n",
      "a.md": "## `a(options)`\n\n| call | what |\n| `c`, like | `b` |\n\n`d` is there.\n",
    },
    "factories.ts:2 b is not in a.md",
    "factories.ts:3 d is not in a.md",
  ],

  ["a folder and a file of the largest size", sizes, { ...siblings(22), "a.ts": lines(400), "a.md": lines(401) }],
  [
    "a folder and a file that are too large",
    sizes,
    { ...siblings(22), "room/inner/a.json": "", "a.ts": lines(401) },
    "room:0 holds 23",
    "a.ts:401 has 401 lines",
  ],

  [
    "names that two things have",
    names,
    {
      "a/norm.ts": "export interface Norm {}\nexport const value = 1;\n",
      "a/mod.ts": "",
      "b/norm.ts": "export const value = 1;\n",
      "b/mod.ts": "export class Norm {}\n",
      "testing/norm.ts": "",
      "tests/norm.ts": "export type Norm = 1;\n",
    },
    "b/mod.ts:1 exports a type Norm as a/norm.ts does",
    "b/norm.ts:0 has the name of a/norm.ts",
  ],

  [
    "a file that does something, without a test",
    mirrors({ "compressors/entry.ts": "a worker", "compressors/gone.ts": "it was" }),
    {
      "compressors/entry.ts": "export const entry = 1;\n",
      "compressors/a.ts": "export const a = 1;\n",
      "compressors/b.ts": "export const b = 1;\n",
      "compressors/types.ts":
        'import type { a } from "./a.ts";\n/** B. */\nexport interface B {\n  a(): void;\n}\nexport type C =\n  | B\n  | 1;\n',
      "compressors/mod.ts": 'export * from "./a.ts";\nexport {\n  b,\n} from "./b.ts";\n',
      "tests/compressors/a_test.ts": "",
      "examples/c.ts": "export const c = 1;\n",
    },
    "compressors/b.ts:0 has no test of its own, expected tests/compressors/b_test.ts",
    "compressors/gone.ts:0 is exempted",
  ],
];

for (const [says, rule, files, ...expected] of cases) {
  Deno.test(`house: ${says}`, () => {
    const tree = new Map(Object.entries(files).sort(([a], [b]) => a < b ? -1 : 1));
    const found = [...rule(tree)].map(({ file, line, says }) => `${file}:${line} ${says}`);
    const told = found.map((finding, i) => finding.slice(0, expected[i]?.length ?? finding.length));
    assertEquals(told, expected, found.join("\n"));
  });
}

Deno.test("house: comments, texts and regular expressions hide no import and make none", () => {
  const text = [
    "/* import './no.ts'; */",
    'const pattern = /[/`"]\\/`/, half = 1 / 2; // import "./no.ts"',
    "const template = `",
    'import "./no.ts";',
    "${inner(`${{ a: 1 }.a}`)}",
    'export const no = 1;`, quotes = "`";',
    'import { a as b, type C } from "./yes.ts";',
    "export const yes = `a\\``;",
    'import d, { e } from "@a/b/more";',
  ].join("\n");
  const tree = new Map([["a.ts", text], ["deno.json", entries]]), { imports, exports } = sourcesOf(tree).get("a.ts")!;
  assertEquals(imports.map(({ from, names, line }) => [from, names.toSorted(), line]), [
    ["yes.ts", ["C", "a"], 7],
    ["more.ts", ["default", "e"], 9],
  ]);
  assertEquals(exports, [{ name: "yes", kind: "value", line: 8 }]);
});
