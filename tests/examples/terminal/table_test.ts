import { assertEquals } from "@std/assert/mod.js";
import { digits, table } from "../../../examples/terminal/table.ts";

Deno.test("columns are aligned, the first to the left", () => {
  assertEquals(
    table(["name", "bits"], [["a", "12"], ["longer", "3"]]),
    "name    bits\n──────  ────\na         12\nlonger     3",
  );
});

Deno.test("numbers have so many digits, and exponents where they are long", () => {
  const shown = [[1234.5678, 4], [.00012, 2], [.00001234, 3], [12345678, 3], [0, 3], [Infinity, 3]] as const;
  assertEquals(shown.map(([value, n]) => digits(value, n)), ["1235", "0.00012", "1.23e-5", "1.23e+7", "0", "–"]);
});
