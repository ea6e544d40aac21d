import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { testInChromium } from "../../in_chromium.ts";
import { exactRounds } from "../tools/rounds.ts";

testInChromium<{ refusal: string; unheard: unknown; right: number[] }>(
  "in Chromium a page's main thread awaits rounds with workers that block, and may not block itself",
  new URL("./browser_page.ts", import.meta.url),
  "page",
  ({ refusal, unheard, right }) => {
    assertMatch(refusal, /^TypeError: Cannot block .* train in a Worker, or use minimizeAsync/);
    // Where a browser's channel does carry shared memory, there is a group instead.
    if (typeof unheard === "string") assertMatch(unheard, /make it with groupMemory and post it/);
    assertEquals(right, Array(3).fill(exactRounds(3).length));
  },
);
