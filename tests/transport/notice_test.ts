import { assertEquals } from "@std/assert/mod.js";
import { listenForNotices, tellLauncher } from "../../transport/notice.ts";

Deno.test("notices: a rank that has connected is known, strangers are not", async () => {
  await using notices = listenForNotices();
  const [port, word] = notices.address.split(" ");
  await tellLauncher(notices.address, 3);
  await tellLauncher(`${port} ${word}x`, 4);
  await tellLauncher("1 nobody listens", 5);
  await tellLauncher(undefined, 6);
  assertEquals([3, 4, 5, 6].map((rank) => notices.has(rank)), [true, false, false, false]);
  using _silent = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) }); // It keeps nobody waiting.
});
