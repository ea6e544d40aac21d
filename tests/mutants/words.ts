/** Wrong changes of what says which mistake was made. */

import type { Mutant } from "./mutant.ts";

const tests = ["tests/words_test.ts"];

const mutants: Mutant[] = [
  {
    name: "calls: a rank that saves is said to restore",
    file: "optimizers/tfjs/agreement/calls.ts",
    find: 'savingParts.includes(part) ? "is in saveTo" : "is in restoreFrom"',
    replace: '!savingParts.includes(part) ? "is in saveTo" : "is in restoreFrom"',
    tests,
  },
  {
    name: "calls: the first step is taken for a rejoining",
    file: "optimizers/tfjs/agreement/calls.ts",
    find: 'if ("dataLoss" in value) return',
    replace: 'if ("dataLosses" in value) return',
    tests,
  },
  {
    name: "compare: facts of different calls are compared member by member",
    file: "optimizers/tfjs/agreement/compare.ts",
    find: "if (calls !== undefined) {",
    replace: "if (calls === undefined && messages.length < 0) {",
    tests,
  },
  {
    name: "weights: averaging and broadcasting look alike to the ranks",
    file: "optimizers/tfjs/agreement/sync_weights.ts",
    find: "{ call, root, weight }",
    replace: "{ root, weight }",
    tests,
  },
  {
    name: "opening: a rank that has left blames itself for too few steps",
    file: "optimizers/tfjs/agreement/opening.ts",
    find: "if (rank === own) {",
    replace: "if (rank === own + 0.5) {",
    tests,
  },
  {
    name: "callbacks: an uncalled syncState is taken",
    file: "optimizers/tfjs/callbacks.ts",
    find: 'refuseUncalled(syncState, "syncState(model, group)");',
    replace: "",
    tests,
  },
  {
    name: "files: a URL as text makes a folder of that name",
    file: "optimizers/files/file_system.ts",
    find: "/^[a-z]{2,}:\\/\\//i.test(path)",
    replace: "false",
    tests,
  },
  {
    name: "nearest: no option is suggested",
    file: "options.ts",
    find: "return near === undefined ?",
    replace: "return near !== known.join() ?",
    tests,
  },
  {
    name: "check: an uncalled compressor is told to be called",
    file: "optimizers/methods/check_method.ts",
    find: "if (Object.hasOwn(compressors, written)) {",
    replace: "if (false as boolean) {",
    tests,
  },
];

export default mutants;
