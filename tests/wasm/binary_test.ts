import { assertStringIncludes } from "@std/assert/mod.js";

Deno.test("binary: the compiled kernels are those of the source", async () => {
  const source = await Deno.readFile(new URL("../../wasm/assembly/kernels.ts", import.meta.url));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", source)).toHex();
  const compiled = await Deno.readTextFile(new URL("../../wasm/binary.ts", import.meta.url));
  assertStringIncludes(compiled, `// SHA-256 of the source: ${digest}\n`, "run wasm/assembly/build.ts");
});
