/** Tests of what a module says in a browser. @module */

import { assert } from "@std/assert/mod.js";

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

/**
 * A test that bundles a module, runs it in headless Chromium and checks what it says: as a worker by its first message,
 * as a page in `globalThis.result`. Where there is no Chromium the test is skipped, and its name says so.
 */
export function testInChromium<T>(name: string, module: URL, where: "worker" | "page", check: (said: T) => void): void {
  Deno.test({
    name: executable === undefined
      ? `${name} (skipped: there is no chromium in /usr/bin; apt-get install chromium)`
      : name,
    ignore: executable === undefined,
    async fn() {
      const folder = await Deno.makeTempDir(), driver = new URL("./chromium.ts", import.meta.url).pathname;
      try {
        const bundle = `${folder}/bundle.js`;
        await output("bundle", "--quiet", "--platform", "browser", "--output", bundle, module.pathname);
        check(JSON.parse(await output("run", "--quiet", "--allow-all", driver, executable!, bundle, where)));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
