/** Tells the digests of tests/compressors/everywhere/everywhere.ts: a worker posts them, a process prints them. @module */

import { digests } from "./everywhere.ts";

const scope = globalThis as { postMessage?: (message: unknown) => void };
if (scope.postMessage === undefined) console.log(JSON.stringify(digests()));
else scope.postMessage(digests());
