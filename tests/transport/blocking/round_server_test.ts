import { assertEquals } from "@std/assert/mod.js";
import { close, ended, Mailbox, status, word } from "../../../transport/blocking/mailbox.ts";
import { RoundServer } from "../../../transport/blocking/round_server.ts";
import { type Collective, collective, memory, TransportError } from "../../../transport/mod.ts";
import { opOf } from "../../../transport/ops.ts";

/** A server in this thread, and what its caller does: makes a request and returns the next answer. */
function served(change: Partial<Collective> = {}) {
  const group = { ...collective(memory(1)[0]!), ...change }, mailbox = new Mailbox(Mailbox.allocate(1), 1);
  const server = new RoundServer(mailbox, () => ({ group })), { words } = mailbox, serving = server.serve();
  const answer = async (answered: number) => {
    while (words[word.answered] === answered) await new Promise((resolve) => setTimeout(resolve, 1));
    return words[word.status];
  };
  const ask = async (op: number) => {
    const answered = words[word.answered]!;
    words[word.op] = op;
    Atomics.add(words, word.asked, 1);
    Atomics.notify(words, word.asked);
    return await answer(answered);
  };
  return { mailbox, words, server, serving, ask, answer };
}

Deno.test("a round waits for the memory that its request lies in, and asks for memory for its reply", async () => {
  const { mailbox, words, server, serving, ask, answer } = served();
  const request = new SharedArrayBuffer(4096), reply = new SharedArrayBuffer(4096);
  new Uint8Array(request).set([7, 8, 9]);
  mailbox.lengths[0] = 3;
  words[word.count] = words[word.memories] = 1;
  const asked = ask(opOf("allGather").number);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(words[word.answered], 0);
  server.take({ request });
  assertEquals([await asked, words[word.count]], [status.grow, 1]);
  server.take({ reply });
  assertEquals([await answer(1), words[word.count], mailbox.lengths[0]], [status.done, 1, 3]);
  assertEquals([...new Uint8Array(reply, 0, 4)], [7, 8, 9, 0]);
  assertEquals(mailbox.traffic[0], 1);
  assertEquals(await ask(close), status.done);
  await serving;
});

Deno.test("a round that fails is answered with its error, and ends the group", async () => {
  const perform = () => Promise.reject(new TransportError("gone", { rank: 5 }));
  const { mailbox, words, serving, ask } = served({ perform });
  assertEquals(await ask(opOf("allGather").number), status.failed);
  await serving;
  assertEquals([mailbox.failure().message, mailbox.failure().rank, words[word.ended]], ["gone", 5, ended.closed]);
});

Deno.test("an abort reaches the group with its reason, and ends it", async () => {
  let reason: Error | undefined;
  const abort = (error: Error) => Promise.resolve(void (reason = error));
  const { words, server, serving, ask } = served({ abort });
  await server.abort({ rank: 2, message: "no space" });
  assertEquals([(reason as TransportError).rank, reason!.message, words[word.ended]], [2, "no space", ended.closed]);
  await ask(close);
  await serving;
});
