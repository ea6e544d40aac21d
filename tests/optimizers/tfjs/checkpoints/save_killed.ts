/** A process of two ranks that saves one step after the other until it is killed. Arguments: the folders of the ranks. */

import { find, ranks, save } from "./step_files.ts";

const groups = ranks(2), folders = Deno.args, { step: start, save: newest } = await find(groups, folders);
const known = groups.map(() => ({
  save: newest,
  run: Array.from(crypto.getRandomValues(new Uint8Array(4)), (b) => b.toString(16)).join(""),
}));
const out = Deno.stdout.writable.getWriter(), text = new TextEncoder();
for (let step = start + 1;; step++) {
  await save(groups, step, folders, known);
  await out.write(text.encode(`${step}\n`));
}
