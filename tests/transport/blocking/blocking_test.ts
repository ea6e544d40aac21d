import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import { collectiveProperties, collectiveTraffic } from "../../../testing/mod.ts";
import { blocking, type BlockingOptions, type TransportError } from "../../../transport/mod.ts";
import { Remote } from "./remote.ts";

const module = import.meta.resolve("./channel_transport.ts"), text = "data:text/javascript,";
const remotes: Remote[] = [];

/** Ranks in workers, each a blocking group over what a function of a module connects. */
function overModule(options: Partial<BlockingOptions>) {
  return async (size: number, timeout: number) => {
    const name = crypto.randomUUID();
    const groups = await Promise.all(
      Array.from({ length: size }, (_, rank) =>
        Remote.make(
          { module, timeout, connectTimeout: 60_000, ...options, options: { name, rank, size, timeout } },
          rank,
          size,
        )),
    );
    remotes.push(...groups);
    return { groups };
  };
}

const few = { inRankOrder: true, sizes: [2], lengths: [0, 1, 8193, 300_007], timeout: 2000, runs: 3 };
const groupModule = import.meta.resolve("../../../transport/broadcast_channel/broadcast_channel.ts");
const overGroup = overModule({ module: groupModule, connect: "broadcastChannelAsync" });
// What happens between processes that fail is for the transport, and is tested over TCP.
const suites = [
  [
    "a transport of one's own",
    collectiveProperties(overModule({}), { ...few, traffic: collectiveTraffic(0) }),
    /exact sums|any rounds|same bits|does not take part|told before|was disposed of/,
  ],
  ["a group", collectiveProperties(overGroup, few), /exact sums|any rounds|was disposed of/],
] as const;

for (const [over, properties, claims] of suites) {
  for (const { name, check } of properties) {
    if (!claims.test(name)) continue;
    Deno.test(`blocking over ${over}: ${name}`, async () => {
      try {
        await check();
      } finally {
        for (const remote of remotes.splice(0)) remote.kill();
      }
    });
  }
}

Deno.test("a blocking group over a group is uniform if that one is, and answers from one memory", async () => {
  const options = { name: crypto.randomUUID(), rank: 0, size: 1 };
  using group = await blocking({ module: groupModule, connect: "broadcastChannelAsync", options });
  assertEquals([group.rank, group.size, group.uniform], [0, 1, true]);
  const memory = new Set<ArrayBufferLike>(), message = new Uint8Array(10_000).fill(3);
  for (let i = 0; i < 20; i++) {
    const [reply] = group.perform({ op: "allGather", message });
    assertEquals(reply, message);
    memory.add(reply!.buffer);
  }
  assertEquals([memory.size, group.traffic.rounds], [1, 20]);
  // A group that is one of this library's over a transport is a group like any other.
  using other = await blocking({ module, connect: "group", options: { ...options, name: crypto.randomUUID() } });
  assertEquals([other.uniform, other.perform({ op: "allGather", message })], [false, [message]]);
});

Deno.test("blocking says what is wrong with its options before a thread starts", async () => {
  const refusals: [BlockingOptions, typeof Error, string | RegExp][] = [
    [{ module: "./here.ts" }, TypeError, 'module is "./here.ts", expected an absolute URL such as'],
    [{ module, connect: 3 as unknown as string }, TypeError, "connect is 3, expected a string"],
    [
      { module, options: { at: { call: () => 1 } } },
      TypeError,
      "options.at.call is the function call, which cannot be",
    ],
    [{ module, maxMessageBytes: 0 }, RangeError, "maxMessageBytes"],
    [{ module, timeout: 0 }, RangeError, "timeout is 0, expected a number > 0"],
    [{ module, modul: 1 } as BlockingOptions, TypeError, "was module meant?"],
  ];
  for (const [options, kind, why] of refusals) {
    const error = await assertRejects(() => blocking(options), kind);
    assertMatch(error.message, /^Cannot make a blocking group: /);
    assert(error.message.includes(why as string), error.message);
  }
});

Deno.test("blocking says what went wrong in the comm worker, under the name that it was given", async () => {
  const rejects = async (options: BlockingOptions) =>
    await assertRejects(() => blocking({ name: "x", ...options }), Error);
  const missing = await rejects({ module, connect: "none" });
  assertEquals(missing.message, `Cannot connect x: none of ${module} is undefined, expected a function`);
  const nothing = await rejects({ module, connect: "nothing" });
  assertMatch(nothing.message, /nothing of .* returned an object, expected a transport or a group$/);
  const failing = await rejects({ module, connect: "failing" }) as TransportError;
  assertEquals([failing.name, failing.message, failing.rank], ["TransportError", "Cannot meet: rank 3 is asleep", 3]);
  assertMatch((await rejects({ module: `${text}throw new Error("not today")` })).message, /not today/);
  const { setTimeout: real } = globalThis;
  globalThis.setTimeout = ((work: () => void, ms: number) => real(work, ms / 100)) as typeof setTimeout;
  try {
    const late = await rejects({ module, connect: "never", connectTimeout: 500 });
    assertEquals(late.message, "Cannot connect x: it took longer than 60.5 s; connectTimeout raises the limit");
  } finally {
    globalThis.setTimeout = real;
  }
});
