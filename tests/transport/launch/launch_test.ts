import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert/mod.js";
import { parseCommand } from "../../../transport/launch/command.ts";
import { launch, LaunchError, type LaunchOptions } from "../../../transport/launch/mod.ts";
import { connect } from "../../../transport/mod.ts";
import { placeFrom } from "../../../transport/environment.ts";
import { freePort } from "../ports.ts";

const script = new URL("./launch_script.ts", import.meta.url), command = new URL("../../../launch.ts", import.meta.url);

function start(args: readonly string[], env: Record<string, string> = {}, flags: readonly string[] = ["-A"]) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, ...args],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs the command; its exit code and what it printed. */
async function run(...args: string[]) {
  const { code, stdout, stderr } = await start([command.href, ...args]).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

const sums = (out: string) => out.split("\n").filter((line) => line.includes("sum")).sort();

for (const flags of [[], ["--transport", "tcp"], ["--processes"]]) {
  const where = flags.join(" ") || "workers";

  Deno.test(`launch ${where}: every rank meets the others, its lines begin with its number`, async () => {
    const { code, out, err } = await run("--ranks", "3", ...flags, script.href, "--", "sum", "x", "--flag");
    assertEquals([code, err], [0, ""]);
    assertEquals(sums(out), ["[0] sum 3,3", "[1] sum 3,3", "[2] sum 3,3"]);
    assertEquals(
      out.split("\n").filter((line) => /^\[\d\] of 3 \{ list: \[ 1 \] \} --flag$/.test(line)).length,
      3,
      out,
    );
    assertEquals(out.trimEnd().split("\n").length, 6);
  });

  Deno.test(`launch ${where}: the error of the rank that fails is the launcher's, not that of those it lets down`, async () => {
    const { code, err } = await run("--ranks", "3", ...flags, script.href, "throw", "1");
    assertEquals(code, 1);
    const [first, ...stack] = err.trimEnd().split("\n");
    assertEquals(first, "error: Cannot go on: rank 1 failed: RangeError: the deed");
    // Once, with the place in the script; what the others say of it is not printed.
    assertEquals(stack.filter((line) => /launch_script\.ts:26:/.test(line)).length, 1, err);
    assertEquals(err.split("the deed").length, flags[0] === "--processes" ? 3 : 2, err); // its line in the script
    assert(!err.includes("TransportError"), err);
  });

  Deno.test(`launch ${where}: a rank that ends before the others is named by them, at once`, async () => {
    const begin = performance.now(), { code, err } = await run("--ranks", "3", ...flags, script.href, "short", "1");
    assertEquals(code, 1);
    assertMatch(
      err,
      /^error: Cannot go on: rank 1 ended before the others: rank [02] failed: TransportError: .*rank 1/m,
    );
    assert(performance.now() - begin < 15_000, "it took as long as the deadline");
  });

  Deno.test(`launch ${where}: ranks that do not dispose of their group end all the same`, async () => {
    const begin = performance.now(), { code, err } = await run("--ranks", "2", ...flags, script.href, "careless");
    assertEquals([code, err], [0, ""]);
    assert(performance.now() - begin < 15_000, "it took as long as the deadline");
  });

  Deno.test(`launch ${where}: ranks whose facts differ are refused, each of them`, async () => {
    const { code, out } = await run("--ranks", "3", ...flags, script.href, "differ", "1");
    const why = "Cannot train together: seed differs: ranks 0, 2 have 7, rank 1 has 8";
    assertEquals([code, out.trimEnd().split("\n").sort()], [0, [0, 1, 2].map((rank) => `[${rank}] ${why}`)]);
  });

  Deno.test(`launch ${where}: the exit code of the rank that fails is the launcher's`, async () => {
    const { code, err } = await run("--ranks", "2", ...flags, script.href, "exit", "1");
    assertEquals(code, 7, err);
    assertMatch(err, /^error: Cannot go on: rank 1 ended with exit code 7$/m);
  });
}

Deno.test("launch: the package's module is the command too; --help; what is wrong is told", async () => {
  const module = new URL("../../../transport/launch/mod.ts", import.meta.url).href;
  const result = await start([module, "--ranks", "1", script.href, "sum"]).output();
  assertEquals([result.code, new TextDecoder().decode(result.stdout)], [0, "[0] sum 0,1\n[0] of 1 { list: [ 1 ] }\n"]);
  const help = await run("--help");
  assertEquals(help.code, 0);
  assertMatch(help.out, /--rendezvous HOST:PORT/);
  const wrong = await run("--rank", "3", script.href);
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertMatch(wrong.err, /^error: Cannot launch: there is no option "--rank", expected one of --ranks, /);
});

Deno.test("launch: a second group of the same ranks", async () => {
  const { code, out } = await run("--ranks", "2", script.href, "again");
  assertEquals([code, out], [0, "[0] again 4,8\n"]);
});

Deno.test("launch: an error in an event, an exit code that was set", async () => {
  const late = await assertRejects(() => launch({ script, ranks: 2, args: ["later", "1"] }), LaunchError);
  assertEquals([late.rank, late.code], [1, 1]);
  assertMatch(late.message, /rank 1 failed: RangeError: the late deed/);
  assertMatch((late.cause as Error).stack!, /launch_script\.ts:\d+:\d+/);
  const code = await assertRejects(() => launch({ script, ranks: 1, args: ["code", "0"] }), LaunchError);
  assertEquals([code.rank, code.code], [0, 5]);
});

Deno.test("launch: a process that is killed is named, and the others are ended", async () => {
  const error = await assertRejects(
    () => launch({ script, ranks: 3, processes: true, prefix: false, args: ["kill", "2"], timeout: 5000 }),
    LaunchError,
  );
  assertEquals([error.rank, error.code], [2, 137]);
  assertMatch(error.message, /rank 2 was ended by SIGKILL/);
});

Deno.test("launch: lines of processes are not torn", async () => {
  const { code, out } = await run("--ranks", "2", "--processes", script.href, "noise");
  assertEquals(code, 0);
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.length, 600);
  for (const line of lines) assertMatch(line, /^\[[01]\] x{100}$/);
});

Deno.test("launch: Ctrl-C ends all processes", async () => {
  const child = start([command.href, "--ranks", "2", "--processes", script.href, "hang", "1"]);
  const stdout = child.stdout.cancel(), reader = child.stderr.getReader();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const begin = performance.now();
  child.kill("SIGINT");
  const { code } = await child.status;
  assertEquals(code, 130);
  assert(performance.now() - begin < 5000);
  // The pipe ends when the last process that holds it has ended.
  while (!(await reader.read()).done);
  await stdout;
});

Deno.test("launch: two machines meet at the rendezvous", async () => {
  const rendezvous = `127.0.0.1:${freePort()}`,
    node = (rank: string, ...flags: string[]) =>
      run(
        "--ranks",
        "2",
        "--nodes",
        "2",
        "--node-rank",
        rank,
        "--rendezvous",
        rendezvous,
        ...flags,
        script.href,
        "sum",
      );
  const [first, second] = await Promise.all([node("0"), node("1", "--processes")]);
  assertEquals([first.code, second.code], [0, 0], first.err + second.err);
  assertEquals(sums(first.out + second.out), ["[0] sum 6,4", "[1] sum 6,4", "[2] sum 6,4", "[3] sum 6,4"]);
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

Deno.test("connect: what the environment says in part is refused", () => {
  const from = (env: Record<string, string>) => placeFrom((name) => env[name]);
  const torch = { RANK: "1", WORLD_SIZE: "2", MASTER_ADDR: "host", MASTER_PORT: "9" };
  assertEquals(from({}), undefined);
  assertEquals(from({ MASTER_ADDR: "host", MASTER_PORT: "9" }), undefined);
  assertEquals(from(torch)!.meeting, { transport: "tcp", host: "host", port: 9 });
  const patience = {
    GRADWIRE_CONNECT_TIMEOUT: "70",
    GRADWIRE_TIMEOUT: "50",
    GRADWIRE_ROUND_TIMEOUT: "Infinity",
  };
  assertEquals(from({ ...torch, GRADWIRE_RUN: "r", ...patience }), {
    rank: 1,
    size: 2,
    args: [],
    meeting: { transport: "tcp", host: "host", port: 9, run: "r" },
    connectTimeout: 70,
    timeout: 50,
    roundTimeout: Infinity,
  });
  assertEquals(from({ RANK: "0", WORLD_SIZE: "1" })!.size, 1);
  const { MASTER_PORT: _, ...noPort } = torch;
  assertThrows(() => from(noPort), Error, "Cannot connect: RANK is 1, but MASTER_PORT is not set");
  const slurm = { SLURM_PROCID: "1", SLURM_NTASKS: "4", SLURM_STEP_ID: "0" };
  assertThrows(() => from(slurm), Error, "SLURM_PROCID is 1, but MASTER_PORT is not");
  assertThrows(() => from({ ...slurm, SLURM_STEP_ID: "" }), Error, "SLURM_PROCID is 1, but SLURM_STEP_ID is not set");
  assertThrows(() => from({ ...slurm, SLURM_NTASKS: "" }), Error, "SLURM_PROCID is 1, but SLURM_NTASKS is not set");
  // Shells and batch scripts of Slurm are no tasks of a step, whether or not they know how many there would be.
  for (const shell of [{}, { SLURM_NTASKS: "4" }, { SLURM_STEP_ID: "0" }]) {
    assertEquals(from({ SLURM_PROCID: "0", ...shell }), undefined);
  }
  assertEquals(from({ WORLD_SIZE: "1" }), undefined);
  assertThrows(() => from({ WORLD_SIZE: "4" }), Error, "WORLD_SIZE is 4, but RANK is not set");
  assertThrows(() => from({ RANK: "0" }), Error, "RANK is 0, but WORLD_SIZE is not set");
  assertThrows(() => from({ ...torch, RANK: "2" }), RangeError, "RANK is 2, expected an integer from 0 to 1");
  assertThrows(() => from({ ...torch, MASTER_PORT: "http" }), RangeError, "MASTER_PORT is http");
});

Deno.test("launch: options are checked", async () => {
  const refused = async (options: object, message: string, type: typeof RangeError | typeof TypeError = TypeError) =>
    void await assertRejects(() => launch({ script, ranks: 1, ...options } as LaunchOptions), type, message);
  await refused({ ranks: 0 }, "Cannot launch: ranks is 0, expected an integer from 1 to 1024", RangeError);
  await refused({ nodes: 2, nodeRank: 2 }, "nodeRank is 2, expected an integer from 0 to 1", RangeError);
  await refused({ nodes: 2 }, "Cannot launch on 2 nodes: rendezvous is missing");
  await refused({ rendezvous: "nowhere" }, 'rendezvous is "nowhere", expected "host:port"', RangeError);
  await refused({ timeout: -1 }, "timeout must be above 0 and below 2^31 ms, received -1", RangeError);
  await refused({ connectTimeout: 0 }, "connectTimeout must be above 0", RangeError);
  await refused({ roundTimeout: NaN }, "roundTimeout must be above 0", RangeError);
  await refused({ transport: "pigeon" }, 'transport is "pigeon", expected one of broadcast, tcp');
  await refused({ transport: "broadcast", processes: true }, "Cannot launch over broadcast");
  await refused({ rank: 1 }, 'there is no option "rank", expected one of script, ranks');
  const folder = new URL(".", import.meta.url);
  await refused({ script: folder }, `the script ${folder.href} is a folder, expected a module in it`);
  await refused({ script: new URL("none.ts", folder) }, `there is no script ${folder.href}none.ts, expected a module`);
});

Deno.test("launch: the command line", () => {
  assertEquals(parseCommand(["--help"]), undefined);
  assertEquals(parseCommand(["--ranks", "4", "--processes", "a.ts", "--", "--ranks", "5"]), {
    script: "a.ts",
    args: ["--ranks", "5"],
    ranks: 4,
    processes: true,
    prefix: true,
  });
  assertEquals(parseCommand(["--timeout", "2.5", "--no-prefix", "a.ts", "--x", "--", "y"]), {
    script: "a.ts",
    args: ["--x", "--", "y"],
    ranks: navigator.hardwareConcurrency,
    processes: false,
    prefix: false,
    timeout: 2500,
  });
  assertEquals(parseCommand(["--connect-timeout=90", "--round-timeout", "0.5", "--ranks=2", "--", "-a.ts", "-x"]), {
    script: "-a.ts",
    args: ["-x"],
    ranks: 2,
    processes: false,
    prefix: true,
    connectTimeout: 90_000,
    roundTimeout: 500,
  });
  assertThrows(() => parseCommand(["--ranks", "--processes", "a.ts"]), TypeError, "Cannot launch: Option '--ranks'");
  assertThrows(
    () => parseCommand(["--rank", "4", "a.ts"]),
    TypeError,
    'there is no option "--rank", expected one of --ranks, ',
  );
  assertThrows(() => parseCommand(["--ranks", "x", "a.ts"]), TypeError, '--ranks is "x", expected a number');
  assertThrows(() => parseCommand(["--ranks", "3"]), TypeError, "no script is given");
  const mistakes: readonly (readonly [args: readonly string[], says: string])[] = [
    [["--rank", "4", "a.ts"], ": was --ranks meant?"],
    [["--process", "a.ts"], 'there is no option "--process", expected one of --ranks'],
    [["--processs", "a.ts"], ": was --processes meant?"],
    [["-A", "--ranks", "4", "a.ts"], "Flags of deno stand before the launcher: deno run -A …"],
    [["--allow-net", "a.ts"], "deno run --allow-net …"],
    [["--ranks", "a.ts"], '--ranks is "a.ts", expected a number'],
    [["--ranks", "-1", "a.ts"], "'--ranks=-XYZ'"],
    [["--processes=2", "a.ts"], "does not take an argument"],
    [["a.ts", "--ranks", "4"], "--ranks stands after the script a.ts, expected it before; or -- between"],
    [["a.ts", "x", "--ranks=4"], "--ranks=4 stands after the script a.ts"],
    [["a.ts", "--processes"], "--processes stands after the script a.ts"],
  ];
  for (const [args, says] of mistakes) assertThrows(() => parseCommand(args), TypeError, says);
});
