import { alone } from "../../transport/alone.ts";
import type { TransportKind } from "../../transport/kind.ts";
import { kinds } from "../../transport/kinds.ts";
import { setPlace } from "../../transport/place.ts";
import { assertEquals, assertMatch, assertRejects } from "@std/assert/mod.js";
import { deno, folderOf, launcher, library, lines, result, run, script, start } from "./launch/launcher.ts";
import { connect } from "../../transport/mod.ts";
import { freePort } from "./tools/ports.ts";

Deno.test("connect: where there is no Deno a rank of several is refused, and one alone is not", async () => {
  const source = `
    const { connect } = await import(${JSON.stringify(library)});
    const { log } = console;
    globalThis.process = { env: { ...globalThis.process.env } }; // Deno's own needs Deno.
    delete globalThis.Deno;
    try { log("group of", (await connect()).size); } catch ({ name, message }) { log(name + ": " + message); }`;
  using folder = folderOf({ "node.mjs": source });
  const run = (env: Record<string, string>) =>
    result(deno(["run", "--no-check", "-A", `${folder.path}/node.mjs`], { env }));
  assertEquals((await run({})).out, "group of 1\n");
  assertEquals((await run({ RANK: "0", WORLD_SIZE: "1" })).out, "group of 1\n");
  const several = await run({ RANK: "1", WORLD_SIZE: "2", MASTER_ADDR: "127.0.0.1", MASTER_PORT: "1" });
  assertMatch(several.out, /^TypeError: Cannot connect rank 1 of 2: .* under Deno only/);
  assertMatch((await run({ RANK: "1" })).out, /^Error: Cannot connect: RANK is 1, but WORLD_SIZE is not set/);
});

Deno.test("connect: processes as torchrun and Slurm start them", async () => {
  for (const [rank, size] of [["RANK", "WORLD_SIZE"], ["SLURM_PROCID", "SLURM_NTASKS"]] as const) {
    const meeting = { MASTER_ADDR: "127.0.0.1", MASTER_PORT: `${freePort()}`, SLURM_STEP_ID: "0" };
    const ranks = ["0", "1"].map((number) =>
      start([script.href, "sum"], { [rank]: number, [size]: "2", ...meeting }).output()
    );
    for (const { code, stdout } of await Promise.all(ranks)) {
      assertEquals(code, 0);
      assertMatch(new TextDecoder().decode(stdout), /^sum 1,2\nof 2/);
    }
  }
});

Deno.test("connect: a group of one where nothing says otherwise; unknown options are refused", async () => {
  using group = await connect();
  assertEquals([group.rank, group.size], [0, 1]);
  await assertRejects(
    () => connect({ timeOut: 1 } as never),
    TypeError,
    'there is no option "timeOut", expected one of connectTimeout, timeout, roundTimeout, bind',
  );
});

Deno.test("connect: says what permission it needs, and what is taken by another", async () => {
  const { code, stderr } = await start([script.href, "sum"], {}, ["--no-prompt", "--allow-read"]).output();
  assertEquals(code, 1);
  assertMatch(new TextDecoder().decode(stderr), /run with --allow-env=RANK,WORLD_SIZE,.*, or use alone\(\)/);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const taken = await run(
    "--ranks",
    "2",
    "--transport",
    "tcp",
    "--rendezvous",
    `127.0.0.1:${port}`,
    script.href,
    "sum",
  );
  assertEquals(taken.code, 1);
  assertMatch(taken.err, /rank 0 failed: .*port is in use/);
});

Deno.test("connect: a rank that was lost is started again, and meets the others when they connect again", async () => {
  using folder = folderOf({
    "rank.ts": `import { connect } from ${JSON.stringify(library)};
      for (;;) {
        using group = await connect({ timeout: 60_000 });
        try {
          for (let round = 0; round < 3; round++) {
            if (Deno.args[0] === "dies" && round === 1) Deno.exit(9);
            group.perform({ op: "allReduce", vector: new Float32Array(1) });
          }
          console.log("done", group.rank);
          break;
        } catch (error) {
          console.log(error.name, error.rank);
        }
      }`,
  });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const start = (rank: number, ...args: string[]) =>
    result(deno(["run", "--no-check", "-A", `${folder.path}/rank.ts`, ...args], {
      env: { RANK: `${rank}`, WORLD_SIZE: "3", MASTER_ADDR: "127.0.0.1", MASTER_PORT: `${port}`, GRADWIRE_RUN: "run" },
    }));
  const others = [start(0), start(1)];
  assertEquals((await start(2, "dies")).code, 9);
  const again = await start(2);
  assertEquals([again.code, again.out], [0, "done 2\n"], again.err);
  for (const [rank, { out, err }] of (await Promise.all(others)).entries()) {
    assertEquals(out, `TransportError 2\ndone ${rank}\n`, err);
  }
});

Deno.test("connect: many groups one after the other, and two calls at once", async () => {
  using folder = folderOf({
    "rank.ts": `import { connect } from ${JSON.stringify(library)};
      for (let i = 0; i < 5; i++) {
        using group = await connect();
        const vector = Float32Array.of(i);
        if (i % 2) group.perform({ op: "allReduce", vector });
      }
      const groups = await Promise.all([connect(), connect()]);
      for (const group of groups) group.perform({ op: "allReduce", vector: new Float32Array(1) });
      for (const group of groups) group[Symbol.dispose]();
      console.log("done");`,
  });
  for (const mode of [[], ["--transport", "tcp"], ["--processes"]]) {
    const { code, out, err } = await result(launcher([...mode, "--ranks", "3", `${folder.path}/rank.ts`]));
    assertEquals([code, err, lines(out)], [0, "", ["[0] done", "[1] done", "[2] done"]], mode.join(" "));
  }
});

Deno.test("connect: the launcher's deadlines hold where the options have none, be they absent or undefined", async () => {
  let joined: unknown;
  const kind: TransportKind = {
    name: "observed",
    oneProcess: true,
    meetingPoint: () => ({ transport: "observed" }),
    join(_place, options) {
      joined = options;
      return Promise.resolve(alone());
    },
  };
  kinds.push(kind);
  setPlace({ rank: 0, size: 2, args: [], meeting: kind.meetingPoint(), timeout: 7000, connectTimeout: 9000 });
  try {
    using _ = await connect({ timeout: 5000, connectTimeout: undefined, bind: undefined } as never);
    assertEquals(joined, { timeout: 5000, connectTimeout: 9000 });
  } finally {
    kinds.splice(kinds.indexOf(kind), 1);
    setPlace(undefined);
  }
});
