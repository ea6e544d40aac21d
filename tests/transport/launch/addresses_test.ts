import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { hostAndPort, scriptUrl } from "../../../transport/launch/addresses.ts";

Deno.test("names: addresses are strict, scripts are paths unless they are URLs", () => {
  assertEquals(hostAndPort("10.0.0.1:7777"), { host: "10.0.0.1", port: 7777 });
  assertEquals(hostAndPort("node-1.example:1"), { host: "node-1.example", port: 1 });
  assertEquals(hostAndPort("[fe80::1%eth0]:65535"), { host: "fe80::1%eth0", port: 65_535 });
  const wrong = [
    "",
    "a",
    "a:",
    ":1",
    "::1",
    "fe80::1",
    "[]:7",
    "[::1:7",
    "[::1]",
    "::1]:7",
    "http://a:7",
    "a:0",
    "a:65536",
  ];
  for (const text of [...wrong, "a:7/x", "a b:7", "[10.0.0.1]:7", "a:+7", "a:7 ", "a@b:7"]) {
    assertThrows(
      () => hostAndPort(text),
      RangeError,
      'expected "host:port" or, with an IPv6 address, "[address]:port"',
    );
  }
  assertEquals(scriptUrl("/a b/C#%?.ts").href, "file:///a%20b/C%23%25%3F.ts");
  assertEquals(scriptUrl("https://example.org/a#b").href, "https://example.org/a#b");
  assertEquals(scriptUrl("data:text/javascript,1").href, "data:text/javascript,1");
});
