/** Wrong changes of steps and checkpoints, as they are written and read. @module */

import type { Mutant } from "./mutant.ts";

const slots = "optimizers/tfjs/variables/slots.ts", checkpoint = "optimizers/tfjs/checkpoints/checkpoint.ts";
const reading = "optimizers/tfjs/checkpoints/read_checkpoint.ts", state = "optimizers/tfjs/optimizer_state.ts";
const weights = "optimizers/tfjs/checkpoints/stored_weights.ts", write = "optimizers/tfjs/checkpoints/write_step.ts";
const read = "optimizers/tfjs/checkpoints/read_step.ts", saving = "optimizers/tfjs/checkpoints/save_to.ts";
const restoring = "optimizers/tfjs/checkpoints/restore_from.ts", facts = "optimizers/tfjs/facts.ts";
const together = "optimizers/tfjs/agreement/together.ts";
const readTest = ["tests/optimizers/tfjs/checkpoints/read_checkpoint_test.ts"];
const weightsTest = ["tests/optimizers/tfjs/checkpoints/stored_weights_test.ts"];
const slotsTest = ["tests/optimizers/tfjs/variables/slots_test.ts"];
const stateTest = ["tests/optimizers/tfjs/optimizer_state_test.ts"];
const restoringTest = ["tests/optimizers/tfjs/restoring_test.ts"];
const restoreTest = ["tests/optimizers/tfjs/checkpoints/restore_from_test.ts"];
const saveTest = ["tests/optimizers/tfjs/checkpoints/save_to_test.ts"];
const steps = (filter: string) => [`tests/optimizers/tfjs/checkpoints/write_step_test.ts#${filter}`];
const damaged = ["tests/optimizers/tfjs/checkpoints/read_step_test.ts"], killed = steps("killed before any");
const failing = steps("any operation");

export default [
  {
    name: "checkpoint: the checksum is not compared",
    file: reading,
    find: "  checkChecksum(file);\n",
    replace: "",
    tests: readTest,
  },
  {
    name: "checkpoint: version 1 is said to be any other",
    file: reading,
    find: 'if (metadata["version"] === "1") {',
    replace: 'if (metadata["version"] === "") {',
    tests: ["tests/optimizers/tfjs/checkpoints/checkpoint_test.ts"],
  },
  {
    name: "checkpoint: weights that are named may be missing",
    file: reading,
    find: "if (tensor === undefined) throw",
    replace:
      "if (tensor === undefined) return { shape: [], values: new Float32Array(1), name, dtype };\n    if (i < 0) throw",
    tests: readTest,
  },
  {
    name: "checkpoint: tensors that are not named are read over",
    file: reading,
    find: "if (kind === undefined && !(Number(index) < weights.length)) {",
    replace: "if (kind === null && !(Number(index) < weights.length)) {",
    tests: readTest,
  },
  {
    name: "checkpoint: more weights in the file than here are taken",
    file: weights,
    find: "i < Math.max(stored.length, variables.length)",
    replace: "i < variables.length",
    tests: weightsTest,
  },
  {
    name: "checkpoint: types of weights are not compared",
    file: weights,
    find: " && theirs.dtype === mine.dtype",
    replace: "",
    tests: weightsTest,
  },
  {
    name: "checkpoint: names of weights are not compared",
    file: weights,
    find: "sameName(theirs.name, mine.name)",
    replace: "theirs.name !== undefined",
    tests: weightsTest,
  },
  {
    name: "checkpoint: numbers in names are compared",
    file: "optimizers/tfjs/variables/variables.ts",
    find: 'name.replaceAll(/_?\\d+/g, "")',
    replace: "name",
    tests: weightsTest,
  },
  {
    name: "checkpoint: weights are assigned before the state is compared",
    file: checkpoint,
    find: "  optimizer.checkState(state);\n  return () => {",
    replace: "  assignWeights(stored, variables);\n  optimizer.checkState(state);\n  return () => {",
    tests: ["tests/optimizers/tfjs/checkpoints/checkpoint_test.ts", ...restoreTest],
  },
  {
    name: "checkpoint: a missing vector of the method is taken for zeros",
    file: state,
    find: 'checkKind("local", from.local, to.local);',
    replace: "",
    tests: stateTest,
  },
  {
    name: "slots: lists that the file lacks stay",
    file: slots,
    find: "if (isList(value)) lists.set(property, []);",
    replace: "if (isList(value)) void property;",
    tests: slotsTest,
  },
  {
    name: "slots: lists may be missing",
    file: slots,
    find: "const needed = iterations > 0 ?",
    replace: "const needed = iterations > 1e9 ?",
    tests: slotsTest,
  },
  {
    name: "slots: shapes in lists are not compared",
    file: slots,
    find: "if (list[i] !== expected[i]) refuse",
    replace: "if (list[i] === null) refuse",
    tests: slotsTest,
  },
  {
    name: "slots: variables beside the lists may be missing",
    file: slots,
    find: "if (shape !== `[${value.shape}]`) refuse",
    replace: "if (shape === null) refuse",
    tests: slotsTest,
  },
  {
    name: "restored: a rank's verdict does not travel",
    file: facts,
    find: "restored: refused !== undefined ? refused.message : layout ===",
    replace: "restored: layout ===",
    tests: restoringTest,
  },
  {
    name: "restored: another run's state is taken",
    file: facts,
    find: '"values (digest)": digests?.common,',
    replace: "",
    tests: restoringTest,
  },
  {
    name: "restored: another run's weights are taken",
    file: facts,
    find: '...yields !== "parameters" && { "weights (digest)": digests?.weights },',
    replace: "",
    tests: restoringTest,
  },
  {
    name: "restored: slots that differ are taken",
    file: facts,
    find: '"slots (digest)": slotsDigest(slots),',
    replace: "",
    tests: restoringTest,
  },
  {
    name: "saveTo: another rank is blamed",
    file: together,
    find: "[`rank ${rank}: ${why}`]",
    replace: "[`rank ${1 - rank}: ${why}`]",
    tests: failing,
  },
  {
    name: "saveTo: the step has its name before its files are written",
    file: write,
    find: "const partial = `${folder}/${partialName(step, save, run)}`,",
    replace: "const partial = `${folder}/${stepName(step, save)}`,",
    tests: killed,
  },
  {
    name: "saveTo: every rank leads",
    file: write,
    find: "const leads = leaders(seen)[rank] === rank;",
    replace: "const leads = seen[rank]!.includes(rank);",
    tests: steps("saved and found"),
  },
  {
    name: "saveTo: rank 0 alone leads",
    file: write,
    find: "const leads = leaders(seen)[rank] === rank;",
    replace: "const leads = leaders(seen)[rank] === rank && rank === 0;",
    tests: steps("saved and found"),
  },
  {
    name: "saveTo: a step that another disk lacks stays",
    file: write,
    find: "if (named) await withdraw(complete);",
    replace: "",
    tests: failing,
  },
  {
    name: "saveTo: what was written stays after a refusal",
    file: write,
    find: "    await withdraw(partial);\n",
    replace: "",
    tests: failing,
  },
  {
    name: "saveTo: one step fewer is kept",
    file: write,
    find: "steps.slice(keep)",
    replace: "steps.slice(keep - 1)",
    tests: steps("saved and found"),
  },
  {
    name: "saveTo: what a killed run left stays",
    file: write,
    find: "for (const step of partial) if (step.save <= save) await remove(step, step.name);",
    replace: "",
    tests: killed,
  },
  {
    name: "saveTo: other runs' steps are not noticed",
    file: write,
    find: "    if (unknown) {",
    replace: "    if (unknown && step < 0) {",
    tests: [...steps("two runs"), ...saveTest],
  },
  {
    name: "saveTo: ranks at different steps save",
    file: write,
    find: "other.step !== facts[0]!.step",
    replace: "other.step < 0",
    tests: steps("different steps"),
  },
  {
    name: "restoreFrom: a file's digest is not compared",
    file: read,
    find: "if (digest().bytes(bytes).hex() !== stated) throw",
    replace: "if (stated === undefined) throw",
    tests: damaged,
  },
  {
    name: "restoreFrom: each rank falls back by itself",
    file: read,
    find: 'why.push(...verdicts.flatMap((verdict, rank) => verdict === "" ?',
    replace: 'why.push(...verdicts.flatMap((verdict, rank) => verdict === "" || rank !== group.rank ?',
    tests: damaged,
  },
  {
    name: "restoreFrom: starts anew where nothing is sound",
    file: read,
    find: "if (names.length === 0) return",
    replace: "if (names.length >= 0) return",
    tests: damaged,
  },
  {
    name: "restoreFrom: another number of ranks is taken",
    file: restoring,
    find: "if (length !== size) {",
    replace: "if (length < size) {",
    tests: restoreTest,
  },
  {
    name: "restoreFrom: only the weights, of each rank's own file",
    file: restoring,
    find: "  await broadcastState(weights, group);\n",
    replace: "",
    tests: restoreTest,
  },
  {
    name: "saveTo: position may be anything",
    file: saving,
    find: "if (odd !== undefined) throw",
    replace: "if (odd === null) throw",
    tests: saveTest,
  },
  {
    name: "saveTo: trained variables may be missing among the weights",
    file: "optimizers/tfjs/checkpoints/save_to.ts",
    find: "if (lacking !== undefined || names.length === 0) {",
    replace: "if (names.length === 0) {",
    tests: saveTest,
  },
] satisfies Mutant[];
