import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { codeOf, isLost, openFiles, pathOf, randomName, replaceFile } from "../../../optimizers/files/file_system.ts";

Deno.test("pathOf: paths and file: URLs lose the slashes at their ends; what is neither is refused", async () => {
  for (const [given, path] of [["a", "a"], ["a//", "a"], ["/", "/"], ["a/b/", "a/b"]] as const) {
    assertEquals(await pathOf(given), path);
  }
  assertEquals(await pathOf(new URL("file:///a%20b/c/")), "/a b/c");
  for (const odd of ["", 7 as unknown as string]) {
    await assertRejects(() => pathOf(odd), TypeError, "a text or a file:");
  }
  await assertRejects(() => pathOf("https://a.example/b"), TypeError, "expected one of a file system");
});

Deno.test("replaceFile: the new bytes or the old ones, and nothing beside them", async () => {
  const folder = await Deno.makeTempDir(), files = await openFiles();
  await replaceFile(files, folder, "a", Uint8Array.of(1));
  await replaceFile(files, folder, "a", Uint8Array.of(2, 3));
  assertEquals([...await files.readFile(`${folder}/a`)], [2, 3]);
  const failing = { ...files, rename: () => Promise.reject(new Error("full")) };
  await assertRejects(() => replaceFile(failing, folder, "a", Uint8Array.of(4)), Error, "full");
  assertEquals([...await files.readFile(`${folder}/a`)], [2, 3]);
  assertEquals(await files.readdir(folder), ["a"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("errors of the file system: which say that a file is lost", async () => {
  const files = await openFiles(), folder = await Deno.makeTempDir();
  const missing = await assertRejects(() => files.readFile(`${folder}/none`));
  assertEquals([codeOf(missing), codeOf(undefined), codeOf({})], ["ENOENT", "", ""]);
  assert(isLost(missing) && isLost({ code: "EIO" }) && !isLost({ code: "EACCES" }) && !isLost(new Error()));
  assert(/^[0-9a-f]{8}$/.test(randomName()) && randomName() !== randomName());
  await Deno.remove(folder, { recursive: true });
});
