import { launch } from "../../../../transport/launch/mod.ts";

Deno.test("fit and fitDataset on three ranks: as one rank with three times the batch, replicas bit-identical", async () => {
  await launch({ script: new URL("./fit_rank.ts", import.meta.url), ranks: 3, timeout: 20_000 });
});
