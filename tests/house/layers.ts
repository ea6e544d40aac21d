/**
 * Who may import whom. The rooms of the house stand in order, from the ground up: a file may import files of its own room
 * and of the rooms that `imports` names, all of which stand earlier in this list. `deno task ok` checks it.
 *
 * @module
 */

/** One room: a folder with all that is below it, or some of a folder's files. */
export interface Room {
  /** What is in the room. */
  readonly holds: string;
  /** The room's folders, which end with a slash, and files. A file is in the room with the longest path that names it. */
  readonly paths: string;
  /** The names of the rooms that its files may import, or "all" that stand earlier. */
  readonly imports: string;
}

/** The rooms by name. */
export type Rooms = Readonly<Record<string, Room>>;

const root: Rooms = {
  random: { holds: "random numbers by key and counter", paths: "random.ts", imports: "" },
  bytes: { holds: "arrays as bytes", paths: "bytes.ts", imports: "" },
  options: { holds: "the refusal of wrong options and values", paths: "options.ts", imports: "" },
  tensorflow: {
    holds: "TensorFlow.js",
    paths: "dependencies/tfjs.ts dependencies/tfjs_backend_wasm.ts",
    imports: "",
  },
  matrices: { holds: "linear algebra", paths: "dependencies/ml_matrix.ts", imports: "" },
  fastCheck: { holds: "property-based testing", paths: "dependencies/fast_check.ts", imports: "" },
};

/** A vector becomes a message. */
const compressors: Rooms = {
  kernels: { holds: "loops over typed arrays", paths: "compressors/kernels/", imports: "random" },
  compressor: {
    holds: "what a compressor is, and the checks that all of them share",
    paths: "compressors/compressor.ts compressors/check.ts compressors/compress.ts compressors/layout.ts",
    imports: "random options kernels",
  },
  coding: {
    holds: "bits and the codes of numbers, signs and positions",
    paths: "compressors/coding/",
    imports: "kernels",
  },
  identity: {
    holds: "the compressor that sends every number as it is",
    paths: "compressors/identity.ts",
    imports: "bytes compressor coding",
  },
  quantizers: {
    holds: "compressors that send every number in fewer bits",
    paths: "compressors/quantizers/",
    imports: "random options kernels compressor coding",
  },
  sparsifiers: {
    holds: "compressors that send some of the numbers",
    paths: "compressors/sparsifiers/",
    imports: "random options matrices kernels compressor coding",
  },
  compressorCombinators: {
    holds: "compressors made of compressors",
    paths: "compressors/combinators/",
    imports: "random options kernels compressor coding identity quantizers sparsifiers",
  },
  compressors: {
    holds: "the list of all compressors, and their reading from text",
    paths: "compressors/",
    imports: "random options compressor coding identity quantizers sparsifiers compressorCombinators",
  },
};

/** Bytes go between ranks. */
const transport: Rooms = {
  round: {
    holds: "what a transport and a round are, deadlines and errors",
    paths:
      "transport/round.ts transport/ops.ts transport/transport.ts transport/deadlines.ts transport/handshake.ts transport/memory.ts " +
      "transport/uncaught.ts",
    imports: "bytes options",
  },
  place: {
    holds: "where a rank stands among the others, and what a kind of transport is",
    paths: "transport/place.ts transport/environment.ts transport/kind.ts transport/notice.ts",
    imports: "round",
  },
  collective: {
    holds: "algorithms of collectives over any transport",
    paths: "transport/collective/",
    imports: "bytes options round",
  },
  drivers: {
    holds: "what runs exchanges on a group, and the group of one rank",
    paths: "transport/drivers.ts transport/alone.ts",
    imports: "round collective",
  },
  sharedMemory: {
    holds: "messages and rounds in memory that threads share",
    paths: "transport/shared_memory/",
    imports: "round collective",
  },
  blocking: {
    holds: "groups whose calls block, over any transport",
    paths: "transport/blocking/",
    imports: "options round collective sharedMemory",
  },
  tcp: {
    holds: "sockets",
    paths: "transport/tcp/",
    imports: "options round place collective drivers sharedMemory blocking",
  },
  broadcastChannel: {
    holds: "groups of workers that meet on a BroadcastChannel",
    paths: "transport/broadcast_channel/",
    imports: "options round place sharedMemory",
  },
  transport: {
    holds: "the list of all transports, and the way into the group that was launched",
    paths: "transport/",
    imports: "options round place collective drivers sharedMemory blocking tcp broadcastChannel",
  },
  launch: {
    holds: "the launcher",
    paths: "transport/launch/ launch.ts",
    imports: "options round place transport",
  },
};

/** Methods are generators of rounds. They know neither tfjs nor any transport. */
const methods: Rooms = {
  method: {
    holds: "what a method is, its keys and checks",
    paths: "optimizers/methods/method.ts optimizers/methods/check_method.ts optimizers/methods/context.ts " +
      "optimizers/methods/describe.ts optimizers/methods/keys.ts optimizers/methods/workspace.ts " +
      "optimizers/methods/parts/rate.ts",
    imports: "random options compressor compressors round",
  },
  parts: {
    holds: "steps that methods share",
    paths: "optimizers/methods/parts/",
    imports: "bytes random kernels compressor round method",
  },
  average: {
    holds: "methods that remember nothing of the gradients before",
    paths: "optimizers/methods/average.ts optimizers/methods/none.ts optimizers/methods/majority_vote.ts",
    imports: "random options kernels compressor identity round method parts",
  },
  methodCombinators: {
    holds: "methods made of methods",
    paths: "optimizers/methods/combinators/",
    imports: "random options compressor round method parts average",
  },
  errorFeedback: {
    holds: "methods that remember what was not sent",
    paths: "optimizers/methods/error_feedback/",
    imports: "random options kernels compressor coding quantizers round method parts",
  },
  differences: {
    holds: "methods that send differences from a shift that they learn",
    paths: "optimizers/methods/differences/",
    imports: "random options kernels compressor round method parts",
  },
  local: {
    holds: "methods that take several steps between rounds",
    paths: "optimizers/methods/local/",
    imports: "bytes random options kernels compressor identity round method parts average errorFeedback",
  },
  methods: {
    holds: "the list of all methods, and their reading from text",
    paths: "optimizers/methods/",
    imports: "options compressor compressors method average methodCombinators errorFeedback differences local",
  },
  problems: {
    holds: "convex problems, their data, and descent on them",
    paths: "optimizers/problems/",
    imports: "random options matrices round drivers method parts",
  },
};

/** The face towards tfjs. */
const face: Rooms = {
  files: {
    holds: "files and digests, without tfjs",
    paths: "optimizers/files/",
    imports: "bytes options round",
  },
  group: {
    holds: "the group and tfjs's types",
    paths: "optimizers/tfjs/agreement/group.ts optimizers/tfjs/variables/tfjs.ts",
    imports: "options tensorflow round drivers",
  },
  variables: {
    holds: "variables, optimizer slots, and their numbers as one vector",
    paths: "optimizers/tfjs/variables/",
    imports: "bytes options tensorflow round method parts files group",
  },
  agreement: {
    holds: "what ranks tell one another to go on together",
    paths: "optimizers/tfjs/agreement/",
    imports: "bytes options tensorflow round method parts files group variables",
  },
  data: {
    holds: "each rank's part of the data",
    paths: "optimizers/tfjs/data/",
    imports: "bytes random options tensorflow round method files group agreement",
  },
  optimizer: {
    holds: "the distributed optimizer and its steps",
    paths: "optimizers/tfjs/",
    imports:
      "bytes options tensorflow compressor round place drivers method parts average files group variables agreement",
  },
  checkpoints: {
    holds: "files of weights, optimizers and steps",
    paths: "optimizers/tfjs/checkpoints/",
    imports: "bytes options tensorflow round drivers method files group variables agreement optimizer",
  },
};

/** What users import, and what stands beside the library. */
const entries: Rooms = {
  optimizers: { holds: "the entry of optimizers", paths: "optimizers/mod.ts", imports: "all" },
  main: { holds: "the main entry", paths: "mod.ts", imports: "random compressors transport optimizers" },
  testing: {
    holds: "suites for compressors, methods and transports of one's own",
    paths: "testing/",
    imports: "bytes random options fastCheck kernels compressor identity compressors round drivers method problems",
  },
  wasm: { holds: "the wasm backend, made fast for training", paths: "wasm/", imports: "tensorflow" },
  programs: { holds: "examples and benches", paths: "examples/ benches/", imports: "all" },
  tests: { holds: "tests", paths: "tests/", imports: "all" },
};

export const rooms: Rooms = { ...root, ...compressors, ...transport, ...methods, ...face, ...entries };
