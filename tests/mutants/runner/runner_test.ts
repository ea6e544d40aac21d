/** The runner on a project of one function. */

import { assertEquals, assertStringIncludes } from "@std/assert/mod.js";
import type { Mutant } from "../mutant.ts";
import { completed, faultsOf, readLists } from "./lists.ts";
import { runMutants, type Verdict } from "./run.ts";
import { copyTree, filesOf } from "./tree.ts";

const PROJECT = {
  "deno.json": "{}",
  "clamp.ts": `/** value, but at least 0 and at most 255. */
export function clamp(value: number): number {
  if (value < 0) return 0;
  return Math.min(255, value);
}
`,
  "tests/clamp_test.ts": `import { clamp } from "../clamp.ts";
const expect = (value: number, expected: number) => {
  if (clamp(value) !== expected) throw new Error(\`\${expected}, received \${clamp(value)}\`);
};
Deno.test("low", () => expect(-1, 0));
Deno.test("low, golden", () => expect(-7, 0));
Deno.test("high, golden", () => expect(256, 255));
`,
  "tests/sign_test.ts": `import { clamp } from "../clamp.ts";
Deno.test("sign", () => { if (clamp(-1) < 0) throw new Error("negative"); });
`,
  "tests/fails_test.ts": `Deno.test("fails", () => { throw new Error("always"); });\n`,
  "tests/outlived_test.ts": `import { clamp } from "../clamp.ts";
Deno.test("leaves a process behind", () => {
  if (clamp(-1) === 0) return;
  new Deno.Command("sleep", { args: ["600"], stdout: "inherit", stderr: "inherit" }).spawn();
  throw new Error("too low");
});
`,
};

const LOW = { file: "clamp.ts", find: "return 0", tests: ["tests/clamp_test.ts"] };
const HIGH = { file: "clamp.ts", find: "Math.min(255, value)", tests: ["tests/clamp_test.ts"] };

/** Writes the project into a folder, which is deleted after `body`. */
async function inProject<T>(body: (root: string) => Promise<T>): Promise<T> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/tests`);
    for (const [file, text] of Object.entries(PROJECT)) await Deno.writeTextFile(`${root}/${file}`, text);
    return await body(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const OPTIONS = { files: Object.keys(PROJECT), jobs: 2, flags: ["--allow-run"] };

type Change = Omit<Mutant, "name">;

/** The verdicts on changes of the project, each tried by itself. */
function verdictsOn(changes: Record<string, Change>, patience = 60_000): Promise<Verdict[]> {
  const mutants = Object.entries(changes).map(([name, change]) => ({ area: "toys", mutant: { name, ...change } }));
  return inProject((root) => runMutants(mutants, { root, ...OPTIONS, patience }));
}

Deno.test("mutants: killed by tests that prove something, survived, or broken", async (t) => {
  const cases: Record<string, [Change, Verdict["end"], string]> = {
    "a test notices": [{ ...LOW, replace: "return 1" }, "killed", "tests/clamp_test.ts: low"],
    "no test notices": [{ ...HIGH, replace: "Math.min(255, value + 0)" }, "survived", ""],
    "pinned bytes alone notice": [
      { ...HIGH, replace: "Math.min(254, value)" },
      "survived",
      "noticed by pinned bytes alone: high, golden",
    ],
    "the filter leaves out what would notice": [
      { ...HIGH, replace: "Math.min(254, value)", tests: ["tests/clamp_test.ts#low"] },
      "survived",
      "",
    ],
    "the second of its tests notices": [
      { ...LOW, replace: "return 1", tests: ["tests/sign_test.ts", "tests/clamp_test.ts#low"] },
      "killed",
      "tests/clamp_test.ts#low: low",
    ],
    "its filter selects pinned bytes": [
      { ...LOW, replace: "return 1", tests: ["tests/clamp_test.ts#high"] },
      "broken",
      "without it, tests/clamp_test.ts#high selects no test that proves more than pinned bytes",
    ],
    "a test that notices leaves a process behind, which does not keep the runner waiting": [
      { ...LOW, replace: "return 1", tests: ["tests/outlived_test.ts"] },
      "killed",
      "tests/outlived_test.ts: leaves a process behind",
    ],
    "it does not parse": [{ ...LOW, replace: "return (" }, "broken", "the type checker refuses it"],
    "its types are wrong": [{ ...LOW, replace: `return "0"` }, "broken", "the type checker refuses it"],
    "its module ends while it is loaded": [
      { ...LOW, find: "/** value", replace: "Deno.exit(3); /** value" },
      "broken",
      "tests/clamp_test.ts does not run",
    ],
    "its test fails without it": [
      { ...LOW, replace: "return 1", tests: ["tests/fails_test.ts"] },
      "broken",
      "without it, tests/fails_test.ts fails: fails",
    ],
    "its filter selects nothing": [
      { ...LOW, replace: "return 1", tests: ["tests/clamp_test.ts#nothing"] },
      "broken",
      "without it, tests/clamp_test.ts#nothing selects no test",
    ],
  };
  const verdicts = await verdictsOn(
    Object.fromEntries(Object.entries(cases).map(([name, [change]]) => [name, change])),
  );
  for (const { mutant: { name }, end, why } of verdicts) {
    await t.step(name, () => {
      const [, expected, reason] = cases[name]!;
      assertEquals([end, why.slice(0, reason.length || 1)], [expected, reason], why);
    });
  }
});

Deno.test("mutants: what never ends is hung, or killed where its list says so", async () => {
  // Blocks without work for the processor, which other tests need.
  const hang = { ...LOW, replace: "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); return 1" };
  const verdicts = await verdictsOn({ hang, stated: { ...hang, hangs: true } }, 5000);
  assertEquals(verdicts.map(({ end }) => end), ["hung", "killed"]);
});

Deno.test("mutants: each is undone before the next, and several jobs give the verdicts in order", async () => {
  const ends = ["return 1", "return -0", "return 2", "return 0 - 0", "return 3"];
  const mutants = ends.map((replace) => ({ area: "toys", mutant: { name: replace, ...LOW, replace } }));
  const seen: string[] = [];
  await inProject(async (root) => {
    const verdicts = await runMutants(mutants, { root, ...OPTIONS, onVerdict: ({ mutant }) => seen.push(mutant.name) });
    assertEquals(verdicts.map(({ end }) => end), ["killed", "survived", "killed", "survived", "killed"]);
    assertEquals(verdicts.map(({ mutant }) => mutant.name), ends);
    assertEquals(await Deno.readTextFile(`${root}/clamp.ts`), PROJECT["clamp.ts"]);
  });
  assertEquals(seen.toSorted(), ends.toSorted());
});

Deno.test("mutants: a change is made literally, $ and all, and undone when its body throws", async () => {
  await inProject(async (root) => {
    await using tree = await copyTree(root, Object.keys(PROJECT));
    const text = () => Deno.readTextFile(`${tree.path}/clamp.ts`);
    await tree.changed([{ name: "$", ...LOW, replace: "return $&" }], async () => {
      assertStringIncludes(await text(), "return $&;");
      throw new Error("from the body");
    }).catch((error) => assertEquals(error.message, "from the body"));
    assertEquals(await text(), PROJECT["clamp.ts"]);
  });
});

Deno.test("mutants: faults of lists are found before anything runs", async () => {
  const good = { name: "good", ...LOW, replace: "return 1" };
  const list: Mutant[] = [
    good,
    good,
    { ...good, name: "absent", find: "return 7" },
    { ...good, name: "twice", find: "value" },
    { ...good, name: "no file", file: "clump.ts" },
    { ...good, name: "no change", replace: "return 0" },
    { ...good, name: "no tests", tests: [] },
    { ...good, name: "no test file", tests: ["tests/clump_test.ts#low"] },
    { ...good, name: "not a test", tests: ["clamp.ts"] },
  ];
  await inProject(async (root) => {
    const faults = await faultsOf(new Map([["toys", list]]), new URL(`file://${root}/`));
    assertEquals(faults, [
      "toys: good: the list has another of this name",
      `toys: absent: the text to find occurs 0 times in clamp.ts, expected once: "return 7"`,
      `toys: twice: the text to find occurs 4 times in clamp.ts, expected once: "value"`,
      "toys: no file: there is no file clump.ts, or several end with this path",
      "toys: no change: what it finds and what it puts there are the same",
      "toys: no tests: it names no tests",
      "toys: no test file: there is no test file tests/clump_test.ts, or several end with this path",
      "toys: not a test: clamp.ts is not a test file",
    ]);
  });
});

Deno.test("mutants: a path may lack the folders that one file alone can have", () => {
  const files = ["a/clamp.ts", "b/other.ts", "c/other.ts", "tests/a/clamp_test.ts"];
  const { file, tests } = completed(
    { name: "", ...LOW, replace: "", file: "clamp.ts", tests: ["clamp_test.ts#low"] },
    files,
  );
  assertEquals([file, ...tests], ["a/clamp.ts", "tests/a/clamp_test.ts#low"]);
  const { file: twice } = completed({ name: "", ...LOW, replace: "", file: "other.ts" }, files);
  assertEquals(twice, "other.ts"); // faultsOf refuses it: several files end with it
});

Deno.test("mutants: lists are the modules of their folder", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["b.ts", "a.ts"]) await Deno.writeTextFile(`${folder}/${name}`, "export default [];");
    for (const name of ["mutant.ts", "lists_test.ts"]) await Deno.writeTextFile(`${folder}/${name}`, "export {};");
    assertEquals([...(await readLists(new URL(`file://${folder}/`), [])).keys()], ["a", "b"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("mutants: the files of a tree are those that git tracks or would add", async () => {
  await inProject(async (root) => {
    await new Deno.Command("git", { args: ["init", "--quiet"], cwd: root }).output();
    await Deno.writeTextFile(`${root}/.gitignore`, "out/\n");
    await Deno.mkdir(`${root}/out`);
    await Deno.writeTextFile(`${root}/out/big.bin`, "");
    assertEquals((await filesOf(root)).sort(), [".gitignore", ...Object.keys(PROJECT)].sort());
  });
});
