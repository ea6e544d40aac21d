import { assertEquals } from "@std/assert/mod.js";

Deno.test("a process ends although a worker runs that it has released", async () => {
  const script = `
    import { releaseWorker } from ${
    JSON.stringify(import.meta.resolve("../../../transport/blocking/release_worker.ts"))
  };
    const worker = new Worker("data:text/javascript,setInterval(() => {}, 1000); postMessage(0)", { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    releaseWorker(worker);
    console.log("end");`;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", `data:text/typescript,${encodeURIComponent(script)}`],
    signal: AbortSignal.timeout(60_000),
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "end\n"]);
});
