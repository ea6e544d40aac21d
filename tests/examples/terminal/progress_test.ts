import { assert, assertEquals } from "@std/assert/mod.js";
import { lineOf } from "../../../examples/terminal/progress.ts";

const parts = ["590/590", "loss 0.012", "16112 of 407080 B/step, 25 ×", "epoch 5", "21700 images/s"];

Deno.test("a line has as many whole parts as fit beside the bar, and never wraps", () => {
  assertEquals(lineOf(1, parts, 64), "████████ 590/590 | loss 0.012 | 16112 of 407080 B/step, 25 ×".padStart(63, "█"));
  assert(lineOf(.5, parts, 200).endsWith(" | epoch 5 | 21700 images/s"));
  for (let columns = 0; columns < 120; columns++) assert(lineOf(.3, parts, columns).length < Math.max(1, columns));
});

Deno.test("the bar is as full as the work is done", () => {
  assertEquals(lineOf(.25, ["x"], 80), "█".repeat(8) + "░".repeat(24) + " x");
  assertEquals(lineOf(0, [], 12), "░".repeat(11));
});
