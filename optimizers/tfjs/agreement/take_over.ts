import { bytesOf, equalBytes } from "../../../bytes.ts";
import * as tf from "../../../dependencies/tfjs.ts";
import { allGather, broadcast, type Exchange } from "../../../transport/round.ts";
import { digest } from "../../files/digest.ts";
import type { Bucket } from "../variables/bucket.ts";
import type { Variable } from "../variables/tfjs.ts";

/** Gives the variables of all ranks rank 0's values. If digests say that they are equal, nothing else is sent. */
export function* takeOver(bucket: Bucket, variables: readonly Variable[], rank: number): Exchange {
  const mine = bytesOf(bucket.gather(variables));
  const digests = yield* allGather(new TextEncoder().encode(digest().bytes(mine).hex()));
  if (digests.every((other) => equalBytes(other, digests[0]!))) return;
  const weights = yield* broadcast(0, mine);
  if (rank === 0) return;
  // A copy, because on the cpu backend the variables share its memory from now on.
  const copy = new Float32Array(weights.slice().buffer);
  variables.forEach((variable, i) => tf.tidy(() => variable.assign(bucket.tensor(i, copy))));
}
