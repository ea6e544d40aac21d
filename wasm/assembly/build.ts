/**
 * Compiles kernels.ts to ../binary.ts:
 * `deno run --no-lock --allow-read --allow-write --allow-env wasm/assembly/build.ts`. The compiler is no dependency of
 * the package. Only those who change kernels.ts need to download it.
 *
 * @module
 */

// deno-lint-ignore no-import-prefix
import asc from "npm:assemblyscript@0.28.20/asc";

const here = new URL(".", import.meta.url);
const source = Deno.readTextFileSync(new URL("kernels.ts", here));

let binary: Uint8Array | undefined;
const { error, stderr } = await asc.main(
  ["kernels.ts", "-o", "kernels.wasm", "-O3", "--runtime", "stub", "--noAssert", "--importMemory", "--enable", "simd"],
  {
    readFile: (name) => name === "kernels.ts" ? source : null,
    writeFile: (name, contents) => {
      if (name === "kernels.wasm") binary = contents as Uint8Array;
    },
    listFiles: () => [],
  },
);
if (error || !binary) throw new Error(`Cannot compile kernels.ts: ${error?.message}\n${stderr}`);

const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(source)));
await Deno.writeTextFile(
  new URL("../binary.ts", here),
  `/** assembly/kernels.ts, compiled by assembly/build.ts: do not edit. @module */

// SHA-256 of the source: ${digest.toHex()}

/** The WebAssembly module in base64, ${binary.length} bytes. */
export const BINARY = \`
${binary.toBase64().match(/.{1,116}/g)!.join("\n")}\`;
`,
);
console.log(`kernels.ts: ${binary.length} bytes`);
