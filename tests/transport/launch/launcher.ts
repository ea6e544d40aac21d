/** What tests of the launcher share: folders with scripts, and the command. @module */

const command = new URL("../../../launch.ts", import.meta.url).href;

/** The address of the part of the library that needs no other packages, for scripts that lie elsewhere. */
export const library = new URL("../../../transport/mod.ts", import.meta.url).href;

/** A folder with these files, by path, which is removed at the end. */
export function folderOf(files: Readonly<Record<string, string>>): { readonly path: string } & Disposable {
  const path = Deno.realPathSync(Deno.makeTempDirSync());
  for (const [name, text] of Object.entries(files)) {
    const file = `${path}/${name}`;
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(file, text);
  }
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** A process of Deno. */
export function deno(args: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
    args: [...args],
    env: { NO_COLOR: "1", ...options.env },
  });
}

/** How a command ended and what it printed. */
export async function result(child: Deno.Command | Deno.ChildProcess) {
  const { code, stdout, stderr } = await child.output(), decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** The launcher's command with these arguments, run with these flags of `deno run`. */
export function launcher(args: readonly string[], options: Deno.CommandOptions & { flags?: readonly string[] } = {}) {
  const { flags = ["-A"], ...rest } = options;
  return deno(["run", "--no-check", ...flags, command, ...args], rest);
}

/** The lines, without order: ranks print when they like. */
export const lines = (text: string): string[] => text.trimEnd().split("\n").sort();
