import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { type Layout, requireLayout, sizeOf } from "../../compressors/layout.ts";

Deno.test("a shape of no dimensions is that of one number", () => {
  assertEquals([[], [3], [2, 3], [2, 0, 3]].map(sizeOf), [1, 3, 6, 0]);
});

Deno.test("a layout has a name for each shape, and shapes that add up to its size", () => {
  requireLayout("go", { names: ["a", "b"], shapes: [[2, 3], []], size: 7 });
  const wrong: [unknown, string][] = [
    [undefined, "the layout is undefined, expected { names, shapes, size }"],
    [{ names: ["a"], shapes: [[1], [2]], size: 3 }, "the layout is an object"],
    [{ names: ["a"], shapes: [1], size: 1 }, "the layout is an object"],
    [{ names: ["a"], shapes: [[2, 3]], size: 5 }, "the shapes add up to 6, expected layout.size = 5"],
  ];
  for (const [layout, says] of wrong) assertThrows(() => requireLayout("go", layout as Layout), Error, says);
});
