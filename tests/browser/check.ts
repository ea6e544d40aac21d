/**
 * Type-checks what must run in browsers against the DOM's libraries alone: every library file but those that own a
 * socket or a process. Run by `deno task ok`.
 *
 * @module
 */

const root = new URL("../../", import.meta.url);
/** Files that may name Deno, and what re-exports them. */
const apart = /^transport\/(tcp\/|launch\/|notice\.|connect\.|kinds\.|mod\.)/;

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, root))) {
    if (isDirectory) yield* sources(`${folder}${name}/`);
    else if (name.endsWith(".ts")) yield folder + name;
  }
}

const files = ["random.ts", "options.ts"];
for (const folder of ["compressors/", "optimizers/", "transport/", "testing/"]) {
  for await (const file of sources(folder)) {
    if (!apart.test(file)) files.push(file);
  }
}
const { success, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["check", "--quiet", "--config", "tests/browser/deno.json", "--no-lock", ...files.sort()],
  cwd: root,
}).output();
if (!success) {
  console.error(new TextDecoder().decode(stderr));
  Deno.exit(1);
}
console.log(`${files.length} files check against browser libraries`);
