import { assertEquals, assertStringIncludes } from "@std/assert/mod.js";

Deno.test("launch.ts is the command", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", new URL("../launch.ts", import.meta.url).href, "--help"],
  }).output();
  assertEquals(code, 0);
  assertStringIncludes(new TextDecoder().decode(stdout), "Usage: deno run -A launch.ts");
});
