import { assertThrows } from "@std/assert/mod.js";
import { checkCloneable } from "../../../transport/blocking/check_cloneable.ts";

Deno.test("values that a worker can be sent pass, memory that is shared among them", () => {
  const cyclic: Record<string, unknown> = { url: "x", list: [1, { two: 2n }], shared: new SharedArrayBuffer(8) };
  cyclic.self = cyclic;
  for (const value of [undefined, 3, cyclic, new Map([[1, new Date(0)]])]) checkCloneable("send", "options", value);
});

Deno.test("the member that cannot be sent is named", () => {
  const cyclic: Record<string, unknown> = { good: 1, deep: { list: [0, Promise.resolve()] } };
  cyclic.self = cyclic;
  const refusals: [unknown, string][] = [
    [
      () => 1,
      "Cannot send: options is a function, which cannot be copied to a worker; expected what structuredClone takes",
    ],
    [{ a: { onOpen() {} } }, "options.a.onOpen is the function onOpen, which"],
    [cyclic, "options.deep.list.1 is a Promise, which"],
    [{ key: Symbol("s") }, "options.key is Symbol(s), which"],
    [{ map: new Map([[1, () => 1]]) }, "options.map is a Map, which"],
  ];
  for (const [value, why] of refusals) assertThrows(() => checkCloneable("send", "options", value), TypeError, why);
});
