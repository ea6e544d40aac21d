import { assert, assertEquals, assertMatch } from "@std/assert/mod.js";
import { exactRounds } from "./rounds.ts";

const executable = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});

/** What a command prints. */
async function output(...args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args, signal: AbortSignal.timeout(60_000) });
  const { success, stdout, stderr } = await command.output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "in Chromium a page's main thread awaits rounds with workers that block, and may not block itself" +
    (executable === undefined ? " (skipped: there is no chromium in /usr/bin; apt-get install chromium)" : ""),
  ignore: executable === undefined,
  async fn() {
    const folder = await Deno.makeTempDir(), path = (file: string) => new URL(file, import.meta.url).pathname;
    try {
      const bundle = `${folder}/bundle.js`;
      await output("bundle", "--quiet", "--platform", "browser", "--output", bundle, path("./browser_page.ts"));
      const printed = await output(
        "run",
        "--quiet",
        "--allow-all",
        path("../chromium.ts"),
        executable!,
        bundle,
        "page",
      );
      const { refusal, unheard, right } = JSON.parse(printed) as { refusal: string; unheard: unknown; right: number[] };
      assertMatch(refusal, /^TypeError: Cannot block .* train in a Worker, or use minimizeAsync/);
      // Where a browser's channel does carry shared memory, there is a group instead.
      if (typeof unheard === "string") assertMatch(unheard, /make it with groupMemory and post it/);
      assertEquals(right, Array(3).fill(exactRounds(3).length));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
