import { assertEquals, assertMatch } from "@std/assert/mod.js";
import { close, Mailbox, status, word } from "../../../transport/blocking/mailbox.ts";
import type { ConnectReply, ConnectRequest, WorkerMessage } from "../../../transport/blocking/messages.ts";

const module = import.meta.resolve("./channel_transport.ts"), options = { name: "comm worker", rank: 0, size: 1 };

/** A comm worker, and what it says when it has been asked to connect. */
async function asked(request: Partial<ConnectRequest>): Promise<{ worker: Worker; reply: ConnectReply }> {
  const worker = new Worker(import.meta.resolve("../../../transport/blocking/comm_worker.ts"), { type: "module" });
  const reply = await new Promise<ConnectReply>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage({ module, connect: "connect", options, name: "x", group: {}, ...request });
  });
  return { worker, reply };
}

Deno.test("the comm worker says where it has connected, serves its mailbox and ends when it is closed", async () => {
  const { worker, reply } = await asked({}), mailbox = new Mailbox(Mailbox.allocate(1), 1), { words } = mailbox;
  assertEquals(reply, { rank: 0, size: 1, uniform: false });
  words[word.op] = close;
  words[word.asked] = 1;
  worker.postMessage({ mailbox: mailbox.buffer } satisfies WorkerMessage);
  while (Atomics.load(words, word.answered) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(words[word.status], status.done);
  worker.terminate();
});

Deno.test("the comm worker says why it has not connected, and whom to blame", async () => {
  const { worker, reply } = await asked({ connect: "failing" });
  assertEquals(reply, { name: "TransportError", message: "Cannot meet: rank 3 is asleep", blamed: 3 });
  worker.terminate();
  const nowhere = await asked({ module: "file:///nowhere/at/all.ts" });
  assertMatch("message" in nowhere.reply ? nowhere.reply.message : "", /nowhere\/at\/all\.ts/);
  nowhere.worker.terminate();
});
