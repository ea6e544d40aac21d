import { assertEquals } from "@std/assert/mod.js";
import { repeatedName } from "../../../optimizers/files/json_names.ts";

Deno.test("repeatedName: the first name that one object has twice, however it is written", () => {
  const cases: [text: string, name: string | undefined][] = [
    ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', undefined],
    ['{"a":1,"b":2,"a":3,"b":4}', "a"],
    ['{"x":{"a":1, "\\u0061" : 2}}', "a"],
    ['[{"a":1},{"b":"\\"c\\":","b":1}]', "b"],
    ['{"a":"{\\"a\\":1","b":"a","c":["a","a"]}', undefined],
    ['{"__proto__":1,"__proto__":2}', "__proto__"],
    ['"a"', undefined],
  ];
  for (const [text, name] of cases) {
    JSON.parse(text);
    assertEquals(repeatedName(text), name, text);
  }
});
