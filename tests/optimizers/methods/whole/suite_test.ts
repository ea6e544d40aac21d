/** The conformance suite over every method and combinator. */

import { assertEquals } from "@std/assert/mod.js";
import * as factories from "../../../../optimizers/methods/factories.ts";
import { methodProperties } from "../../../../testing/mod.ts";
import { methodOf, methods } from "../../all_methods.ts";

const layout = { names: ["kernel", "bias", "scale"], shapes: [[3, 4], [5], []], size: 18 };

for (const { text, exact, quadratic } of methods) {
  const { name, every = 1 } = methodOf(text, layout);
  const properties = methodProperties((given) => methodOf(given && exact ? exact : text, layout), {
    average: exact !== undefined,
    agrees: (step) => (step + 1) % every === 0,
    steps: Math.max(6, 2 * every + 2),
    // Those that are made for this layout take no other.
    scalar: !text.includes("layout"),
    ...quadratic ? { quadratic } : {},
  });
  for (const property of properties) Deno.test(`${text}${property.name.slice(name.length)}`, property.check);
}

Deno.test("the list holds every method and combinator, and names every option", () => {
  const names = new Set(methods.map(({ text }) => text.split("(")[0]!));
  assertEquals([...names, "none"].sort(), Object.keys(factories).sort());
  for (const name of names) {
    const texts = methods.map(({ text }) => text).filter((text) => text.split("(")[0] === name);
    const options = new Set(texts.flatMap((text) => Object.keys(methodOf(text, layout).options)));
    // Arguments of their own, and what combinators say of themselves.
    for (const other of ["compressor", "method", "methods", "stages"]) options.delete(other);
    for (const option of options) {
      assertEquals(texts.some((text) => text.includes(`${option}:`)), true, `no text names ${option} of ${name}`);
    }
  }
});
