import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert/mod.js";
import { deno, folderOf, launcher, library, lines, result } from "./launcher.ts";

const connecting = `import { connect } from ${JSON.stringify(library)};\n`;

const meet = "using group = await connect(); group.perform({ op: 'allReduce', vector: new Float32Array(1) });";

for (const mode of [[], ["--processes"]]) {
  const where = mode[0] ?? "workers",
    run = (args: string[], options = {}) => result(launcher([...mode, "--ranks", "2", ...args], options));

  Deno.test(`launch ${where}: a main() that is not awaited, under import.meta.main, runs to its end`, async () => {
    using folder = folderOf({
      "train.ts": `#!/usr/bin/env -S deno run
        ${connecting} import { main } from "./other.ts";
        async function train() {
          await new Promise((resolve) => setTimeout(resolve, 50));
          ${meet}
          await new Promise((resolve) => setTimeout(resolve, 50));
          console.log("trained", main, group.size);
        }
        if (import.meta.main) train();`,
      "other.ts": "export const main: boolean = import.meta.main;",
    });
    const { code, out, err } = await run([`${folder.path}/train.ts`]);
    assertEquals([code, err, lines(out)], [0, "", ["[0] trained false 2", "[1] trained false 2"]]);
  });

  Deno.test(`launch ${where}: arguments, main module and globals are those of deno run`, async () => {
    using folder = folderOf({
      "args.ts": `${connecting} ${meet}
        const globals = ["self", "window", "Deno", "process", "WorkerGlobalScope"].map((name) => typeof globalThis[name]);
        console.log(JSON.stringify([Deno.args, process.argv.slice(1), Deno.mainModule, import.meta.url, globals]));`,
    });
    const script = `${folder.path}/args.ts`, args = ["--epochs", "5", "--", "a b", "ü", ""];
    const alone = await result(deno(["run", "--no-check", "-A", script, ...args]));
    const { code, out, err } = await run([script, ...args]);
    assertEquals([code, err, lines(out)], [0, "", lines(["[0] ", "[1] "].map((rank) => rank + alone.out).join(""))]);
    // The -- that ends the launcher's own options is none of the script's.
    assertStringIncludes((await run([script, "--", "--ranks", "3"])).out, '[["--ranks","3"],');
  });

  Deno.test(`launch ${where}: paths with any characters, from any folder`, async () => {
    const names = ["C# projects/train.ts", "100%/a?b.ts", "%41/ü 漢.ts", "back\\slash.ts", "a:b.ts", "[x]&'y'/it's.js"];
    using folder = folderOf({
      ...Object.fromEntries(names.map((name) => [name, `${connecting} ${meet} console.log("here", group.rank);`])),
      "elsewhere/x": "",
    });
    for (const name of names) {
      for (
        const [cwd, path] of [[`${folder.path}/elsewhere`, `../${name}`], ["/", `${folder.path}/${name}`]] as const
      ) {
        const { code, out, err } = await run([path], { cwd });
        assertEquals([code, err, lines(out)], [0, "", ["[0] here 0", "[1] here 1"]], name);
      }
    }
  });

  Deno.test(`launch ${where}: the script's own deno.json, and the launcher's flags and permissions`, async () => {
    using folder = folderOf({
      "project/deno.json": `{ "imports": { "gradwire": ${JSON.stringify(library)}, "own": "./own.ts" } }`,
      "project/own.ts": "export default 'own';",
      "project/train.ts": `import own from "own"; import { connect } from "gradwire"; ${meet} console.log(own);`,
      "map.json": `{ "imports": { "gradwire": ${
        JSON.stringify(library)
      }, "own": "data:text/javascript,export default 'given'" } }`,
      "allowed/file": "",
      "permissions.ts": `${connecting} ${meet}
        const state = (...descriptor) => Deno.permissions.querySync(Object.assign({}, ...descriptor)).state;
        console.log(
          state({ name: "read", path: "${Deno.cwd()}" }), state({ name: "read", path: "/etc" }),
          state({ name: "net", host: "127.0.0.1" }), state({ name: "net", host: "example.org" }),
          state({ name: "write" }), state({ name: "ffi" }), typeof gc,
        );`,
    });
    const script = `${folder.path}/project/train.ts`;
    for (const cwd of ["/", `${folder.path}/project`]) {
      assertEquals(lines((await run([script], { cwd })).out), ["[0] own", "[1] own"]);
    }
    for (const flag of ["--import-map", "--config"]) {
      const flags = ["-A", flag, `${folder.path}/map.json`];
      assertEquals(lines((await run([script], { flags })).out), ["[0] given", "[1] given"], flag);
    }
    const flags = [
      "--allow-read",
      "--deny-read=/etc",
      "--allow-net=127.0.0.1",
      "--allow-env",
      "--allow-run",
      "--allow-sys",
      "--deny-write",
      "--no-prompt",
      "--v8-flags=--expose-gc",
    ];
    const { code, out, err } = await run([`${folder.path}/permissions.ts`], { flags });
    const states = "granted denied granted prompt denied prompt function";
    assertEquals([code, err, lines(out)], [0, "", [`[0] ${states}`, `[1] ${states}`]]);
  });

  Deno.test(`launch ${where}: scripts that are data, and scripts that are served`, async () => {
    // A remote module imports no file: the library is served too.
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async ({ url }) => {
      const { pathname } = new URL(url), headers = { "content-type": "application/typescript" };
      if (pathname === "/train.ts") return new Response(text("./transport/mod.ts"), { headers });
      return new Response(await Deno.readTextFile(new URL(`../../..${pathname}`, import.meta.url)), { headers });
    });
    const text = (library: string) =>
      `import { connect } from ${JSON.stringify(library)}; ${meet}
       enum Kind { Main = "main" }
       if (import.meta.main as boolean) console.log(Kind.Main, group.rank as number);`;
    const ranks = ["[0] main 0", "[1] main 1"];
    const data = await run([`data:text/typescript,${encodeURIComponent(text(library))}`]);
    assertEquals([data.code, data.err, lines(data.out)], [0, "", ranks]);
    using cache = folderOf({});
    const served = await run([`http://127.0.0.1:${server.addr.port}/train.ts`], {
      flags: ["-A", "--quiet", "--no-lock"],
      env: { DENO_DIR: cache.path },
    });
    assertEquals([served.code, served.err, lines(served.out)], [0, "", ranks]);
  });

  Deno.test(`launch ${where}: ranks that never connect are refused with what to write; one alone is not`, async () => {
    const script = "data:text/javascript,console.log(1)";
    const { code, out, err } = await run([script]);
    assertEquals([code, lines(out).every((line) => /^(\[[01]\] 1)?$/.test(line))], [1, true]);
    assertMatch(err, /^error: Cannot go on: rank [01] ended without having called connect\(\), .*await connect\(\)/);
    assertEquals(err.trimEnd().split("\n").length, 1);
    assertEquals(await run(["--ranks", "1", script]), { code: 0, out: "[0] 1\n", err: "" });
  });

  Deno.test(`launch ${where}: exit codes and events at the end are those of deno run`, async () => {
    using folder = folderOf({
      "ends.ts": `${connecting} ${meet}
        addEventListener("unload", () => console.log("unload"));
        process.on("exit", (code) => console.log("exit", code));
        if (Deno.args[0] === "exit") Deno.exit(0);
        if (Deno.args[0] === "handled") {
          addEventListener("unhandledrejection", (event) => event.preventDefault());
          Promise.reject(new Error("harmless"));
        }
        if (Deno.args[0] === "node") {
          process.on("unhandledRejection", () => {});
          Promise.reject(new Error("harmless"));
        }
        if (Deno.args[0] === "error") {
          addEventListener("error", (event) => event.preventDefault());
          setTimeout(() => { throw new Error("harmless"); });
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
        group.perform({ op: "allReduce", vector: new Float32Array(1) });`,
    });
    for (const arg of ["", "handled", "node", "error"]) {
      const { code, out, err } = await run([`${folder.path}/ends.ts`, arg]);
      const ends = ["[0] exit 0", "[0] unload", "[1] exit 0", "[1] unload"];
      assertEquals([code, err, lines(out)], [0, "", ends], arg);
    }
    const exit = await run([`${folder.path}/ends.ts`, "exit"]);
    assertEquals([exit.code, exit.err], [0, ""]);
  });
}
