import { identity } from "../../compressors/mod.ts";
import { compressorProperties } from "../../testing/mod.ts";

for (const { name, check } of compressorProperties(identity(), { error: () => 0 })) Deno.test(name, check);
