import { assertEquals, assertRejects, assertThrows } from "@std/assert/mod.js";
import { kindAt, kinds } from "../../transport/kinds.ts";
import { launch, type LaunchOptions } from "../../transport/launch/mod.ts";
import { toyKind } from "./tools/toy_transport.ts";

const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
const toy = { transport: "toy" as "tcp", ranks: 2 };

Deno.test("a transport is a folder and a line: launcher and connect() need nothing else", async () => {
  const script = `data:text/typescript,${
    encodeURIComponent(`
      import { joined } from ${url("./tools/toy_transport.ts")};
      import { connect } from ${url("../../transport/mod.ts")};
      using group = await connect();
      const vector = Float32Array.of(group.rank + 1);
      group.perform({ op: "allReduce", vector });
      if (joined.count !== 1 || vector[0] !== 3) throw new Error(\`\${joined.count} groups, sum \${vector}\`);`)
  }`;
  await launch({ ...toy, script });
  await assertRejects(() => launch({ ...toy, script, processes: true }), TypeError, "processes need tcp");
});

Deno.test("transports are known by their names", () => {
  assertEquals(kinds.map(({ name }) => name), ["broadcast", "tcp", "toy"]);
  assertEquals(kindAt({ transport: "toy" }), toyKind);
  assertThrows(
    () => kindAt({ transport: "pigeon" }),
    TypeError,
    'Cannot connect: unknown transport "pigeon", known are broadcast, tcp',
  );
});

Deno.test("the launcher names the transports that there are", async () => {
  const options = { script: "none.ts", ranks: 2, transport: "pigeon" } as unknown as LaunchOptions;
  await assertRejects(() => launch(options), TypeError, 'transport is "pigeon", expected one of broadcast, tcp');
});
