import { assertEquals, assertMatch, assertNotEquals } from "@std/assert/mod.js";
import { testInChromium } from "../../../in_chromium.ts";
import type { Said } from "./browser_page.ts";

testInChromium<Said>(
  "in Chromium a page that awaits its steps trains together with a worker in fit; fit on the page is a TypeError",
  new URL("./browser_page.ts", import.meta.url),
  "page",
  ({ alone, fit, before, page, worker }) => {
    assertEquals(alone, 1);
    assertMatch(fit, /^TypeError: Cannot minimize with a group that must be awaited.* Train in a worker/);
    assertNotEquals(page, before);
    assertEquals(worker, page);
  },
);
