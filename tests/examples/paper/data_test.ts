import { assert, assertEquals, assertRejects } from "@std/assert/mod.js";
import { encodeHex } from "@std/encoding/hex.js";
import { DATA_SETS, type DataSet, readData } from "../../../examples/paper/data.ts";

const text = "+1 1:0.5\n".repeat(20_000), bytes = new TextEncoder().encode(text);
const sha256 = encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

/** A site on loopback that serves the file well, cut short, changed, never, or not at all. */
async function withSite(body: (site: string, cache: string, hits: () => number) => Promise<void>): Promise<void> {
  let hits = 0;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      hits++;
      const request = new TextDecoder().decode(await read(connection));
      const path = request.split(" ")[1],
        head = (length: number) => `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n`;
      const answer = (head: string, data = bytes) =>
        connection.write(new TextEncoder().encode(head)).then(() => writeAll(connection, data)).catch(() => {});
      if (path === "/good") await answer(head(bytes.length));
      else if (path === "/cut") await answer(head(bytes.length), bytes.subarray(0, 1000));
      else if (path === "/unsized-cut") {
        await answer("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", bytes.subarray(0, 1000));
      } else if (path === "/changed") await answer(head(bytes.length), bytes.map((b, i) => i === 7 ? b ^ 1 : b));
      else if (path === "/silent") await answer(head(bytes.length), bytes.subarray(0, 10)).then(() => sleep(600));
      else await answer("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", new Uint8Array());
      connection.close();
    }
  })();
  const cache = await Deno.makeTempDir();
  try {
    await body(`http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`, cache, () => hits);
  } finally {
    listener.close();
    await serving;
    await Deno.remove(cache, { recursive: true });
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function read(connection: Deno.Conn): Promise<Uint8Array> {
  const buffer = new Uint8Array(4096);
  return buffer.subarray(0, await connection.read(buffer) ?? 0);
}
async function writeAll(connection: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await connection.write(data.subarray(at));
}
const file = (remote: string): DataSet => ({ file: "f", remote, sha256 });

Deno.test("a data set is downloaded once, with progress, and then read from the cache", async () => {
  await withSite(async (site, cache, hits) => {
    let last = 0;
    const onProgress = (received: number, total?: number) => (last = received, assertEquals(total, bytes.length));
    assertEquals(await readData(file("good"), { site, cache, onProgress }), text);
    assertEquals(last, bytes.length);
    assertEquals(await readData(file("good"), { site, cache }), text);
    assertEquals(hits(), 1);
    await Deno.writeTextFile(`${cache}/${sha256}`, "damaged");
    await assertRejects(() => readData(file("good"), { site, cache }), Error, "expected " + sha256);
  });
});

Deno.test("a download that fails says why, and leaves nothing behind", async () => {
  await withSite(async (site, cache) => {
    const failures = {
      "cut": /Cannot download .*\/cut: /,
      "unsized-cut": /its sha256 is [0-9a-f]{64}, expected/,
      "changed": /its sha256 is [0-9a-f]{64}, expected/,
      "missing": /the server answers 404 Not Found/,
      "silent": /no byte for 200 ms/,
    };
    for (const [path, why] of Object.entries(failures)) {
      const error = await assertRejects(() => readData(file(path), { site, cache, timeout: 200 }), Error);
      assert(why.test(error.message), `${path}: ${error.message}`);
      assertEquals([...Deno.readDirSync(cache)], []);
    }
  });
  // A port that was just free: nobody listens there, as on a machine without a network.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const site = `http://127.0.0.1:${port}`;
  await assertRejects(() => readData(file("good"), { site, cache: "unused" }), Error, `Cannot download ${site}/good`);
});

Deno.test("data sets of a folder are checked against their sha256", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/f`, text);
    assertEquals(await readData(file("unused"), { folder }), text);
    await assertRejects(
      () => readData({ ...file("unused"), sha256: DATA_SETS.a5a.sha256 }, { folder }),
      Error,
      "its sha256 is",
    );
    await assertRejects(() => readData({ ...file("unused"), file: "g" }, { folder }), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
