import { assertEquals, assertThrows } from "@std/assert/mod.js";
import { ended, Mailbox, offsets, roomFor, word } from "../../../transport/blocking/mailbox.ts";
import { TransportError } from "../../../transport/mod.ts";

Deno.test("the mailbox carries an error with its rank, and cuts what is too long", () => {
  const mailbox = new Mailbox(Mailbox.allocate(3), 3);
  mailbox.fail(new TransportError("Cannot: ß", { rank: 2 }));
  assertThrows(
    () => {
      throw mailbox.failure();
    },
    TransportError,
    "Cannot: ß",
  );
  assertEquals(mailbox.failure().rank, 2);
  mailbox.fail(new Error("x".repeat(10_000)));
  assertEquals([mailbox.failure().message.length, mailbox.failure().rank], [2048, undefined]);
  assertEquals(mailbox.words[word.answered], 0);
});

Deno.test("lengths, traffic and text have places of their own, for any number of ranks", () => {
  for (const size of [1, 2, 3, 8]) {
    const mailbox = new Mailbox(Mailbox.allocate(size), size),
      places = [mailbox.words, mailbox.lengths, mailbox.traffic];
    places.forEach((view, i) => view.fill(i + 1));
    mailbox.fail(new TransportError("x", { rank: 2 }));
    places.slice(1).forEach((view, i) => assertEquals([...view].every((value) => value === i + 2), true));
    assertEquals([mailbox.lengths.length, mailbox.failure().rank], [size, 2]);
  }
});

Deno.test("the end of a group is waited for, but not for long", () => {
  const mailbox = new Mailbox(Mailbox.allocate(1), 1), begin = performance.now();
  mailbox.awaitEnd(ended.told, 20);
  assertEquals(performance.now() - begin >= 19, true);
  mailbox.end(ended.closed);
  mailbox.awaitEnd(ended.told, 60_000);
  assertEquals(mailbox.words[word.ended], ended.closed);
});

Deno.test("messages begin at multiples of 16 bytes, and memory has room to grow", () => {
  assertEquals(offsets([3, 0, 16, 17], 4), [0, 16, 16, 32, 64]);
  assertEquals([roomFor(1), roomFor(4096), roomFor(100_000)], [4096, 8192, 126_976]);
});
