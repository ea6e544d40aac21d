import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { deno, result } from "./launcher.ts";
import { flagsOf, rankFlags } from "../../../transport/launch/flags.ts";

Deno.test("launch: what may not be done names the flag that allows it", async () => {
  const script = new URL("./launch_script.ts", import.meta.url).href;
  const launched = async (...flags: string[]) =>
    await result(deno([
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      ...flags,
      new URL("../../../launch.ts", import.meta.url).href,
      "--processes",
      "--ranks",
      "1",
      script,
    ]));
  for (const flags of [["--allow-net"], ["--allow-run"]]) {
    const { code, err } = await launched(...flags);
    assertEquals(code, 2);
    assertMatch(err, /Cannot launch processes: run with --allow-run and --allow-net=127\.0\.0\.1/);
  }
});

Deno.test("launch: the flags of a command line, without those that are for one process", () => {
  const flags = (text: string, args = "") => flagsOf(text.split(" "), args === "" ? [] : args.split(" "));
  assertEquals(flags("deno run -A --config x.json launch.ts --ranks 2 a.ts -A", "--ranks 2 a.ts -A"), [
    "-A",
    "--config",
    "x.json",
  ]);
  assertEquals(flags("deno -R=data --watch=a --inspect-brk launch.ts"), ["-R=data"]);
  assertEquals(flags("deno run --unstable-kv -r --reload=x --v8-flags=--expose-gc --inspect launch.ts"), [
    "--unstable-kv",
    "--v8-flags=--expose-gc",
  ]);
  assertEquals(flags("deno test --parallel --allow-read=a --filter x -c d.json tests/ --deny-net"), [
    "--allow-read=a",
    "-c",
    "d.json",
    "--deny-net",
  ]);
});

Deno.test("launch: a rank's flags are never fewer than what this process may do, nor given twice", () => {
  const flags = rankFlags(["-A", "--no-prompt"], "::1");
  assertEquals(flags, ["--no-prompt", "-A"]);
  const more = rankFlags(["--allow-read"], "::1");
  assertEquals(more.filter((flag) => flag === "--allow-read").length, 1);
  assert(more.some((flag) => flag.startsWith("--allow-net")), more.join());
});
