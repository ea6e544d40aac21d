/** Wrong changes of what is written to files and read from them. @module */

import type { Mutant } from "./mutant.ts";

const safetensors = "optimizers/files/safetensors.ts", names = "optimizers/files/json_names.ts";
const checksum = "optimizers/files/checksum.ts", digest = "optimizers/files/digest.ts";
const folder = "optimizers/files/step_folder.ts", files = "optimizers/files/file_system.ts";
const handler = "optimizers/tfjs/checkpoints/file_handler.ts";
const safetensorsTest = ["tests/optimizers/files/safetensors_test.ts"];
const readTest = ["tests/optimizers/tfjs/checkpoints/read_checkpoint_test.ts"];
const saveTest = ["tests/optimizers/tfjs/checkpoints/save_to_test.ts"];
const handlerTest = ["tests/optimizers/tfjs/checkpoints/file_handler_test.ts"];
const steps = (filter: string) => [`tests/optimizers/tfjs/checkpoints/write_step_test.ts#${filter}`];
const damaged = ["tests/optimizers/tfjs/checkpoints/read_step_test.ts"];

export default [
  {
    name: "safetensors: holes and overlaps are read",
    file: safetensors,
    find: "if (from !== end) throw",
    replace: "if (from < 0) throw",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: overlaps alone are read",
    file: safetensors,
    find: "if (from !== end) throw",
    replace: "if (from > end) throw",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: bytes after the last tensor are read over",
    file: safetensors,
    find: "if (data + end !== bytes.length) {",
    replace: "if (data + end > bytes.length) {",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: names may occur twice",
    file: safetensors,
    find: "if (twice !== undefined) throw",
    replace: "if (twice === null) throw",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: names that are written in two ways count as two",
    file: names,
    find: "const name = JSON.parse(text.slice(start, i + 1)) as string,",
    replace: "const name = text.slice(start, i + 1),",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: a name counts in all objects that are open",
    file: names,
    find: 'if (character === "{") open.push(new Set());',
    replace: 'if (character === "{") open.push(open.at(-1) ?? new Set());',
    tests: safetensorsTest,
  },
  {
    name: "safetensors: Buffers are sliced without a copy",
    file: safetensors,
    find: "const bytes = bytesOf(file);",
    replace: "const bytes = file;",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: views are read from the start of their memory",
    file: safetensors,
    find: "const bytes = bytesOf(file);",
    replace: "const bytes = new Uint8Array(file.buffer, 0, file.byteLength);",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: products of lengths may overflow",
    file: safetensors,
    find: "Number.isSafeInteger(product * length) ? product * length : NaN",
    replace: "product * length",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: headers of any length are read",
    file: safetensors,
    find: "if (stated > BigInt(LONGEST_HEADER)) {",
    replace: "if (stated > BigInt(2 ** 53)) {",
    tests: safetensorsTest,
  },
  {
    name: "safetensors: narrow numbers come first",
    file: safetensors,
    find: "b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT",
    replace: "a.values.BYTES_PER_ELEMENT - b.values.BYTES_PER_ELEMENT",
    tests: safetensorsTest,
  },
  {
    name: "checkpoint: the checksum leaves out the header",
    file: checksum,
    find: "digest().bytes(file.subarray(0, START)).bytes(file.subarray(END))",
    replace: "digest().bytes(file.subarray(file.length - (file.length >> 2)))",
    tests: readTest,
  },
  {
    name: "digest: the order of words does not matter",
    file: digest,
    find:
      "a ^= n, a = (a << 13) | (a >>> 19), a = (Math.imul(a, 5) + 0xe6546b64) | 0;\n    b ^= n + k | 0, b = (b << 11) | (b >>> 21), b = (Math.imul(b, 9) + 0x38495ab5) | 0;",
    replace: "a ^= n, b = (b + n) | 0;",
    tests: readTest,
  },
  {
    name: "digest: the last bytes that make no word are left out",
    file: digest,
    find: "tail |= bytes[i]! << (8 * (i - whole));",
    replace: "tail = 0;",
    tests: [...readTest, ...damaged],
  },
  {
    name: "restoreFrom: the largest step is the newest",
    file: folder,
    find: "steps.sort((a, b) => b.save - a.save",
    replace: "steps.sort((a, b) => b.step - a.step",
    tests: steps("saved and found"),
  },
  {
    name: "restoreFrom: the manifest's digest is not compared",
    file: folder,
    find: "if (digestOf(manifest) !== stated) throw",
    replace: "if (stated === undefined) throw",
    tests: ["tests/optimizers/files/step_folder_test.ts"],
  },
  {
    name: "files: slashes at the end stay",
    file: files,
    find: 'path.replace(/(?<=.)\\/+$/, "")',
    replace: "path",
    tests: saveTest,
  },
  {
    name: "fileHandler: the weights' digest is not compared",
    file: handler,
    find: "if (stated !== undefined && digest()",
    replace: "if (stated === null && digest()",
    tests: handlerTest,
  },
  {
    name: "fileHandler: old weights stay",
    file: handler,
    find: "for (const old of before) if (old !== name) await",
    replace: "for (const old of before) if (old === undefined) await",
    tests: handlerTest,
  },
  {
    name: "fileHandler: the weights are removed that were just written",
    file: handler,
    find: "for (const old of before) if (old !== name) await",
    replace: "for (const old of before) await",
    tests: handlerTest,
  },
  {
    name: "fileHandler: the models of a folder share their weights",
    file: handler,
    find: '(json === "model.json" ? "" :',
    replace: '(json ? "" :',
    tests: handlerTest,
  },
  {
    name: "fileHandler: weights may be too short",
    file: handler,
    find: "if (expected !== undefined && length !== expected) {",
    replace: "if (expected !== undefined && length > expected) {",
    tests: handlerTest,
  },
] satisfies Mutant[];
