/** Steps in a folder, with disks and processes that fail at any moment. */

import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { leaders } from "../../../../optimizers/tfjs/checkpoints/write_step.ts";
import { bits, fold, key } from "../../../../random.ts";
import { list, unknown, withFolders } from "./folders.ts";
import { disk, find, ranks, save, watched } from "./step_files.ts";

Deno.test("steps: saved and found, the newest n are kept, on a shared disk and on one a rank", async () => {
  await withFolders(async (folders, shared) => {
    const groups = ranks(2), known = unknown();
    assertEquals(await find(groups, folders), { step: 0, save: 0, leftOut: [] });
    for (let step = 1; step <= 5; step++) {
      const [saved] = await save(groups, 10 * step, folders, known);
      assertEquals(saved!.removed.length, step > 3 ? 1 : 0);
      assertEquals(saved!.leftBehind, []);
      assertEquals(await find(groups, folders), { step: 10 * step, save: step, leftOut: [] });
    }
    for (const [rank, folder] of folders.entries()) {
      const names = [3, 4, 5].map((save) => `step-0000000000${10 * save}-save-${save}`);
      assertEquals(await list(folder), names);
      const files = shared ? ["rank-0.safetensors", "rank-1.safetensors"] : [`rank-${rank}.safetensors`];
      assertEquals(await list(`${folder}/${names[2]}`), ["manifest.json", ...files]);
    }
    // Going back to an earlier step and on from there: what was saved last is the newest, not the largest step.
    await save(groups, 12, folders, known, { keep: 1 });
    assertEquals((await find(groups, folders)).step, 12);
    assertEquals((await list(folders[0]!)).length, 1);
  });
});

Deno.test("steps: killed before any operation on the disk, a folder holds the step before or this one", async () => {
  await withFolders(async (folders) => {
    for (let last = 1, dead = true; dead; last++) {
      await Promise.all(folders.map((folder) => Deno.remove(folder, { recursive: true }).catch(() => {})));
      const known = unknown(), seen: string[] = [];
      await save(ranks(2), 1, folders, known);
      const dying = watched((operation) => {
        seen.push(operation);
        if (seen.length >= last) throw new Error(`killed before ${operation}`);
      });
      const saved = await save(ranks(2), 2, folders, known, { files: [dying, dying], keep: 1 }).catch(() => undefined);
      dead = seen.length >= last;
      // What has the name of a complete step is one.
      for (const folder of folders) {
        for (const name of await list(folder)) {
          if (!name.startsWith(".")) assert((await list(`${folder}/${name}`)).includes("manifest.json"), seen.at(-1));
        }
      }
      const groups = ranks(2), { step, save: newest } = await find(groups, folders);
      // Once the ranks were told that it is saved, it is.
      assert(step === 2 || (step === 1 && dead && !saved), `${step} after ${seen.at(-1)}`);
      // The next run goes on, and leaves nothing behind of the one that was killed.
      await save(groups, 3, folders, [{ save: newest, run: "0b" }, { save: newest, run: "0b" }], { keep: 1 });
      assertEquals((await find(groups, folders)).step, 3);
      for (const folder of folders) assertEquals((await list(folder)).length, 1);
      if (!dead) assert(last > 25, `only ${last} operations`);
    }
  });
});

Deno.test("steps: if any operation on the disk fails on one rank, all refuse, and the steps of before stay", async () => {
  await withFolders(async (folders) => {
    for (const rank of [0, 1]) {
      for (let last = 1, at = "some"; at !== ""; last++) {
        await Promise.all(folders.map((folder) => Deno.remove(folder, { recursive: true }).catch(() => {})));
        const groups = ranks(2), known = unknown(), files = [disk, disk];
        await save(groups, 1, folders, known);
        const before = await list(folders[0]!);
        let count = 0;
        at = "";
        files[rank] = watched((operation) => {
          if (++count !== last) return;
          at = operation;
          throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        });
        const error = await save(groups, 2, folders, known, { files, keep: 1 }).then(
          () => "",
          (e) => e.message as string,
        );
        if (error !== "") {
          assert(error.includes(`rank ${rank}: no space left on device`), error);
          for (const folder of folders) assertEquals(await list(folder), before);
          assertEquals((await find(groups, folders)).step, 1);
        } else {
          // Only the removal of older steps may fail without a refusal.
          assert(at === "" || /^(rm|rename|list) /.test(at), at);
          assertEquals((await find(groups, folders)).step, 2);
        }
        await save(groups, 3, folders, known, { keep: 1 });
        assertEquals((await find(groups, folders)).step, 3);
        if (at === "") assert(last > 8, `only ${last} operations`);
      }
    }
  });
});

Deno.test("steps: a folder that cannot be made is refused on all ranks", async () => {
  const file = await Deno.makeTempFile();
  const error = await assertRejects(() => save(ranks(2), 1, [`${file}/a`, `${file}/a`], unknown()), Error);
  assert(/rank 0: ENOTDIR.*; rank 1: ENOTDIR/.test(error.message), error.message);
  await Deno.remove(file);
});

Deno.test("steps: ranks at different steps do not save", async () => {
  await withFolders(async (folders) => {
    const groups = ranks(2), known = unknown();
    const results = await Promise.allSettled(
      groups.map((group, rank) => save([group], 1 + rank, [folders[rank]!], [known[rank]!])),
    );
    for (const result of results) {
      assert(result.status === "rejected" && result.reason.message.includes("rank 0 has taken 1 steps, rank 1 2"));
    }
    assertEquals(await find(ranks(2), folders), { step: 0, save: 0, leftOut: [] });
  });
});

Deno.test("steps: two runs in one folder are never mixed: the second refuses", async () => {
  await withFolders(async (folders) => {
    const [a, b] = [ranks(2), ranks(2)], knownA = unknown(), knownB = unknown().map(() => ({ save: 0, run: "0b" }));
    await save(a, 5, folders, knownA);
    await assertRejects(
      () => save(b, 1, folders, knownB),
      Error,
      "step-000000000005-save-1, which this run has neither saved nor restored. Call restoreFrom",
    );
    // Both at once: either both are whole, or one is refused; and from then on at most one of them goes on.
    knownB.fill({ save: 1, run: "0b" });
    await Promise.allSettled([save(a, 6, folders, knownA), save(b, 2, folders, knownB)]);
    const { step } = await find(ranks(2), folders);
    assert([2, 5, 6].includes(step), `${step}`);
    const later = await Promise.allSettled([save(a, 7, folders, knownA), save(b, 3, folders, knownB)]);
    assert(later.filter(({ status }) => status === "fulfilled").length <= 1);
    assert([2, 3, 5, 6, 7].includes((await find(ranks(2), folders)).step));
  });
});

Deno.test("steps: who leads, when some see the others' files late", () => {
  assertEquals(leaders([[0], [1], [2]]), [0, 1, 2]);
  assertEquals(leaders([[0, 1], [0, 1], [2, 3], [2, 3]]), [0, 0, 2, 2]);
  assertEquals(leaders([[0], [0, 1], [2]]), [0, 0, 2]);
  assertEquals(leaders([[0], [1], [0, 1, 2]]), [0, 0, 0]);
  assertEquals(leaders([[0, 3], [1, 2], [2], [3, 2]]), [0, 0, 0, 0]);
});

Deno.test("steps: after 40 kills at random moments a folder holds what was last said to be saved, or newer", async () => {
  await withFolders(async (folders, shared) => {
    const delays = bits(fold(key(9), shared ? 1 : 2), new Uint32Array(20)), groups = ranks(2);
    let started = 0;
    for (let kill = 0; kill < 20; kill++) {
      const { href } = new URL("./save_killed.ts", import.meta.url);
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--quiet", href, ...folders],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const read = async () => {
        const { value, done } = await reader.read();
        text += value ?? "";
        return !done;
      };
      while (!text.includes("\n") && await read());
      // Up to 30 ms: a few saves.
      await new Promise((resolve) => setTimeout(resolve, delays[kill]! % 30));
      child.kill("SIGKILL");
      while (await read());
      await child.status;
      const told = Number(text.trimEnd().split("\n").at(-1)), { step } = await find(groups, folders);
      assert(told > started && step >= told && step <= told + 1, `${step} is found, ${told} was told`);
      started = step;
    }
  });
});
