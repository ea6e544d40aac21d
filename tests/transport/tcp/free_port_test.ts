import { assert } from "@std/assert/mod.js";
import { freePort } from "../../../transport/tcp/free_port.ts";

Deno.test("freePort: a port below those that the system hands out, on which one can listen", () => {
  for (let i = 0; i < 20; i++) {
    const port = freePort();
    assert(port >= 16_384 && port < 32_768, `${port}`);
    using _ = Deno.listen({ hostname: "127.0.0.1", port });
  }
});
