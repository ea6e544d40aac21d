import { assertEquals } from "@std/assert/mod.js";
import { digests } from "./digests.ts";

const module = new URL("digests.ts", import.meta.url);

Deno.test("messages and decoded bits are the same in a worker", async () => {
  const worker = new Worker(module, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, string>>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (event) => (event.preventDefault(), reject(new Error(event.message)));
  const there = await promise.finally(() => worker.terminate());
  assertEquals(there, await digests());
});

Deno.test("messages and decoded bits are the same in another process, without its optimizing compiler", async () => {
  const { stdout, success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--v8-flags=--no-opt,--no-sparkplug", module.pathname],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), await digests());
});
