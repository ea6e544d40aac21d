import { assertEquals } from "@std/assert/mod.js";
import { printable, quoted } from "../../../transport/tcp/printable.ts";

Deno.test("foreign text is quoted, cut and cannot act on a terminal", () => {
  assertEquals(quoted("a\x1b[31m\x9b\u2028\u202eé漢\ud800"), '"a\\u001b[31m\\u{9b}\\u{2028}\\u{202e}é漢\\ud800"');
  assertEquals(quoted("x".repeat(100), 3), '"xxx"…');
  assertEquals(quoted("😀😀", 1), '"😀"…');
  assertEquals(printable("one\ntwo\r\x7f"), "one\ntwo\\u{d}\\u{7f}");
  assertEquals(printable("x".repeat(10), 4), "xxxx…");
});
