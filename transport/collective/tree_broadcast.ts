import type { Channel } from "./channel.ts";
import { tagOf } from "./header.ts";
import type { RoundOf } from "../ops.ts";

/**
 * Broadcast along a binomial tree: a rank receives the message from its parent and hands it to its children, packet by
 * packet, in ⌈log₂ n⌉ hops for n ranks.
 */
export async function treeBroadcast(channel: Channel, round: RoundOf<"broadcast">): Promise<readonly Uint8Array[]> {
  const { rank, size } = channel, { root, message } = round, { parent, children } = placeInTree(rank, root, size);
  const tag = tagOf(round);
  if (parent === undefined) {
    await Promise.all(children.map((to) => channel.send(to, tag, message)));
    const reply = await channel.reserve(message.byteLength);
    reply.set(message);
    return [reply];
  }
  channel.waitsAcross(bitCount((rank - root + size) % size));
  return [await channel.relay(parent, tag, children)];
}

/**
 * The parent and the children of a rank in the binomial tree of a root. With the ranks counted from the root on, the
 * number of a rank's parent is the rank's own without its lowest bit that is set. Children with the most ranks below
 * them come first.
 */
export function placeInTree(
  rank: number,
  root: number,
  size: number,
): { readonly parent: number | undefined; readonly children: readonly number[] } {
  const place = (rank - root + size) % size, children: number[] = [];
  const lowest = place === 0 ? size : place & -place;
  for (let bit = 1; bit < lowest && place + bit < size; bit *= 2) children.unshift((place + bit + root) % size);
  return { parent: place === 0 ? undefined : (place - lowest + root) % size, children };
}

/** How many bits are set: the hops from the root to the rank with this number. */
function bitCount(value: number): number {
  let count = 0;
  for (; value > 0; value &= value - 1) count++;
  return count;
}
