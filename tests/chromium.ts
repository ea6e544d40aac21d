/**
 * Runs a bundled module as a worker of a page in headless Chromium and prints, as JSON, the first message that it posts:
 * `deno run -A tests/chromium.ts EXECUTABLE BUNDLE worker`. With `page` in place of `worker` the page itself imports it
 * and what is printed is what it leaves in `globalThis.result`. The page comes from a server on the loopback address.
 *
 * A process of its own because playwright asks for more than the tests are permitted.
 *
 * @module
 */

import { chromium } from "playwright-core";

const [executablePath, bundle, where] = Deno.args as [string, string, "worker" | "page"];
const script = await Deno.readTextFile(bundle);

await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
  const [body, type] = url.endsWith("/bundle.js")
    ? [script, "text/javascript"]
    : ["<!doctype html><title>Gradwire</title>", "text/html"];
  return new Response(body, {
    headers: {
      "content-type": type,
      // For shared memory:
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    },
  });
});
const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox", // Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  const message = await page.evaluate(
    where === "page" ? `import("/bundle.js").then(() => globalThis.result)` : `new Promise((resolve, reject) => {
    const worker = new Worker("/bundle.js", { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  })`,
  );
  console.log(JSON.stringify(message));
} finally {
  await browser.close();
}
