/** Which algorithm performs a round. Another one is a file like those imported here, and a line in the list. @module */

import type { Channel } from "./channel.ts";
import { directAllGather } from "./direct_all_gather.ts";
import { directAllToAll } from "./direct_all_to_all.ts";
import type { OpName, RoundOf } from "../ops.ts";
import type { WireRound } from "../round.ts";
import { segmentedAllReduce } from "./segmented_all_reduce.ts";
import { wholeBytes } from "./sum.ts";
import { treeBroadcast } from "./tree_broadcast.ts";
import { wholeAllReduce } from "./whole_all_reduce.ts";

/**
 * Performs one rank's part of a round over a channel. Returns the replies, in memory that the channel reserves; the
 * reply of an all-reduce is the sum's bytes. An algorithm leaves the round as it is, and all ranks must choose the same
 * one.
 */
export type Algorithm<R extends WireRound = WireRound> = (channel: Channel, round: R) => Promise<readonly Uint8Array[]>;

/** An algorithm, and the rounds of groups of `size` ranks that it is for. */
interface Choice<R extends WireRound> {
  readonly algorithm: Algorithm<R>;
  readonly fits: (round: R, size: number) => boolean;
}

const always = () => true;

/** The algorithms of each op. The first one that fits is taken. */
const choices: { readonly [Name in OpName]: readonly Choice<RoundOf<Name>>[] } = {
  allGather: [{ algorithm: directAllGather, fits: always }],
  allToAll: [{ algorithm: directAllToAll, fits: always }],
  allReduce: [
    { algorithm: wholeAllReduce, fits: ({ vector }, size) => size === 1 || vector.byteLength <= wholeBytes },
    { algorithm: segmentedAllReduce, fits: always },
  ],
  broadcast: [{ algorithm: treeBroadcast, fits: always }],
};

/** The algorithm for a round of a group of `size` ranks. */
export function chooseAlgorithm(round: WireRound, size: number): Algorithm {
  const fitting: readonly Choice<never>[] = choices[round.op];
  return fitting.find(({ fits }) => fits(round as never, size))!.algorithm as Algorithm;
}
