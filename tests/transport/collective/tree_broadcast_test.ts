import { assertEquals } from "@std/assert/mod.js";
import { placeInTree, treeBroadcast } from "../../../transport/collective/tree_broadcast.ts";
import { counts, recorded } from "./recorded.ts";

Deno.test("every rank but the root has one parent, whose child it is, at most ⌈log₂ n⌉ hops from the root", () => {
  for (let size = 1; size <= 17; size++) {
    for (let root = 0; root < size; root++) {
      for (let rank = 0; rank < size; rank++) {
        let hops = 0;
        for (let at = rank; at !== root; hops++) {
          const { parent } = placeInTree(at, root, size);
          assertEquals(placeInTree(parent!, root, size).children.includes(at), true);
          at = parent!;
        }
        assertEquals(hops <= Math.ceil(Math.log2(size)), true);
      }
      assertEquals(placeInTree(root, root, size).parent, undefined);
      const children = Array.from({ length: size }, (_, rank) => placeInTree(rank, root, size).children).flat();
      assertEquals(children.length, size - 1);
    }
  }
});

Deno.test("a broadcast goes along the tree, packet by packet", async () => {
  const message = new Uint8Array(600_000).map((_, i) => i * 7), root = 1;
  const ignored = new Uint8Array(3);
  const rounds = [0, 1, 2, 3].map((rank) =>
    ({ op: "broadcast", root, message: rank === root ? message : ignored }) as const
  );
  const round = await recorded(treeBroadcast, rounds);
  for (const replies of round.replies) assertEquals(replies, [message]);
  // Counted from the root, 2 is the child of 0, and 3 that of 2: these are the ranks 3, 1 and 0.
  assertEquals(counts(round), [[0, 0, 0, 0], [0, 0, 3, 3], [0, 0, 0, 0], [3, 0, 0, 0]]);
  assertEquals([...round.packets[1]![2]![0]!.subarray(0, 16)], [
    4,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    ...[192, 39, 9, 0],
    1,
    0,
    0,
    0,
  ]);
});
