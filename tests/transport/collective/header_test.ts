import { assertEquals } from "@std/assert/mod.js";
import { faultOf, lengthIn, type Tag, tagOf, writeHeader } from "../../../transport/collective/header.ts";

const tag: Tag = { op: "allReduce", phase: 1, agreed: 0x01020304 };

function packet(tag: Tag, round: number, length: number, payload = length): Uint8Array {
  const bytes = new Uint8Array(16 + payload);
  writeHeader(bytes, tag, round, length);
  return bytes;
}

Deno.test("the header has the bytes of FORMAT.md, wherever the packet lies in its memory", () => {
  const bytes = [3, 1, 0, 0, 255, 255, 255, 255, 5, 0, 0, 0, 4, 3, 2, 1];
  const shifted = new Uint8Array(40).subarray(7, 7 + 16 + 5);
  writeHeader(shifted, tag, 2 ** 32 - 1, 5);
  assertEquals([...shifted.subarray(0, 16)], bytes);
  assertEquals([lengthIn(shifted), faultOf(shifted, 2, tag, 2 ** 33 - 1, 5)], [5, undefined]);
});

Deno.test("tags follow from rounds", () => {
  const message = new Uint8Array(3);
  assertEquals(tagOf({ op: "allGather", message }), { op: "allGather", phase: 0, agreed: 0 });
  assertEquals(tagOf({ op: "allReduce", vector: new Float32Array(7) }, 1), { op: "allReduce", phase: 1, agreed: 7 });
  assertEquals(tagOf({ op: "broadcast", root: 4, message }), { op: "broadcast", phase: 0, agreed: 4 });
});

Deno.test("what is wrong with a packet is said with both values", () => {
  const fault = (bytes: Uint8Array, expected = tag) => faultOf(bytes, 2, expected, 9, 100);
  const patched = (at: number, value: number) => {
    const bytes = packet(tag, 9, 5);
    bytes[at] = value;
    return bytes;
  };
  const root: Tag = { op: "broadcast", phase: 0, agreed: 1 }, gather: Tag = { op: "allGather", phase: 0, agreed: 0 };
  assertEquals(fault(packet(tag, 9, 5).subarray(0, 15)), "rank 2 sent 15 bytes, not a header");
  for (const [at, value] of [[0, 0], [0, 5], [2, 1], [3, 1]] as const) {
    assertEquals(fault(patched(at, value)), "rank 2 sent what is not ours");
  }
  assertEquals(fault(patched(0, 1)), "this rank is in round 9, rank 2 in round 9 (allGather)");
  assertEquals(fault(packet(tag, 8, 5)), "this rank is in round 9, rank 2 in round 8 (allReduce)");
  assertEquals(fault(packet({ ...tag, agreed: 3 }, 9, 5)), "this rank has 16909060 numbers, rank 2 has 3");
  assertEquals(fault(packet({ ...root, agreed: 3 }, 9, 5), root), "this rank expects root 1, rank 2 root 3");
  assertEquals(fault(packet({ ...gather, agreed: 3 }, 9, 5), gather), "rank 2 sent what is not ours");
  assertEquals(fault(packet({ ...tag, phase: 0 }, 9, 5)), "rank 2 sent phase 0 instead of 1");
  assertEquals(fault(packet(tag, 9, 101, 0)), "rank 2 sent a message of 101 bytes, agreed are at most 100");
  assertEquals(fault(packet(tag, 9, 5, 4)), "rank 2 sent a packet of 4 bytes, agreed are 5");
});
