import { run, script, start } from "./launcher.ts";
import { assertEquals, assertMatch, assertThrows } from "@std/assert/mod.js";
import { parseCommand } from "../../../transport/launch/command.ts";

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
