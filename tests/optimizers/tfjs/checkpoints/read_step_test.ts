import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { unknown, withFolders } from "./folders.ts";
import { find, ranks, save } from "./step_files.ts";

Deno.test("steps: what is damaged or missing on one rank is left out on all, with the reason", async () => {
  const damage: Record<string, [(path: string) => Promise<void>, string]> = {
    "a bit of the file": [async (path) => {
      const file = `${path}/rank-1.safetensors`, bytes = await Deno.readFile(file);
      bytes[500]! ^= 1;
      await Deno.writeFile(file, bytes);
    }, "rank 1: rank-1.safetensors is damaged: its digest is another"],
    "a torn file": [
      (path) => Deno.truncate(`${path}/rank-1.safetensors`, 500),
      "rank 1: rank-1.safetensors has 500 bytes, expected 110",
    ],
    "no file": [
      (path) => Deno.remove(`${path}/rank-1.safetensors`),
      "rank 1: rank-1.safetensors cannot be read: ENOENT",
    ],
    "no manifest": [(path) => Deno.remove(`${path}/manifest.json`), "rank 1: ENOENT"],
    "a torn manifest": [
      (path) => Deno.truncate(`${path}/manifest.json`, 100),
      "rank 1: manifest.json is damaged: it is not JSON",
    ],
    "an edited manifest": [async (path) => {
      const text = await Deno.readTextFile(`${path}/manifest.json`);
      await Deno.writeTextFile(`${path}/manifest.json`, text.replace('"step": 3', '"step": 4'));
    }, "rank 1: manifest.json is damaged: its digest is another"],
    "another rank's file": [
      (path) =>
        Deno.copyFile(
          path.replace("step-000000000003-save-3", "step-000000000002-save-2") + "/rank-1.safetensors",
          `${path}/rank-1.safetensors`,
        ),
      "rank 1: rank-1.safetensors ",
    ],
    "no folder": [(path) => Deno.remove(path, { recursive: true }), "rank 1 does not have it"],
  };
  for (const [what, [harm, why]] of Object.entries(damage)) {
    await withFolders(async (folders, shared) => {
      const groups = ranks(2), known = unknown();
      for (let step = 1; step <= 3; step++) await save(groups, step, folders, known);
      await harm(`${folders[1]}/step-000000000003-save-3`);
      if (what === "no folder" && shared) return;
      const { step, leftOut } = await find(groups, folders);
      assertEquals([step, leftOut.length], [2, 1], what);
      assert(leftOut[0]!.startsWith("step-000000000003-save-3: ") && leftOut[0]!.includes(why), leftOut[0]);
      // Nothing sound is left: all ranks say so, and do not start anew.
      for (const name of ["step-000000000002-save-2", "step-000000000001-save-1"]) {
        await Deno.remove(`${folders[1]}/${name}/manifest.json`);
      }
      await assertRejects(
        () => find(groups, folders),
        Error,
        "no step in it is complete and sound on all ranks (step-000000000003-save-3: ",
      );
    });
  }
});
