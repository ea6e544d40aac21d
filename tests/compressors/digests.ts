/**
 * What every compressor of the table makes of some vectors: a digest of messages and decoded bits. Runs wherever
 * JavaScript does; as a worker it posts the digests, as a program it prints them.
 */

import { compress, decompress } from "../../compressors/mod.ts";
import { fold, key } from "../../random.ts";
import { adversarialVector } from "../../testing/vectors.ts";
import { compressors, SIZE } from "./table.ts";

/** Digest by factory. */
export async function digests(): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [name, compressor] of compressors()) {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const kinds = ["gaussian", "lognormal", "dynamic", "ties", "subnormal", "largest", "negativeZeros"];
    for (const [i, kind] of kinds.entries()) {
      for (const size of name === "perTensor" ? [SIZE] : [1, 7, SIZE, 1000]) {
        const k = fold(key(i), size), message = compress(compressor, adversarialVector(kind, size), k);
        parts.push(message.slice(), new Uint8Array(decompress(compressor, message, k, size).buffer as ArrayBuffer));
      }
    }
    const hash = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
    result[name] = Array.from(new Uint8Array(hash).subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    );
  }
  return result;
}

const worker = globalThis as unknown as { WorkerGlobalScope?: unknown; postMessage(data: unknown): void };
if (worker.WorkerGlobalScope !== undefined) digests().then((result) => worker.postMessage(result));
else if ("Deno" in globalThis && import.meta.main) console.log(JSON.stringify(await digests()));
