/**
 * The comm worker: the thread that owns the connections of a blocking group. It connects as it is told, and performs
 * the rounds that its mailbox brings.
 *
 * @module
 */

import { communicator } from "../collective/collective.ts";
import { Mailbox } from "./mailbox.ts";
import type { ConnectReply, ConnectRequest, WorkerMessage } from "./messages.ts";
import { show } from "../../options.ts";
import { RoundServer } from "./round_server.ts";
import type { Collective } from "../round.ts";
import { type Transport, TransportError } from "../transport.ts";

const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: unknown }) => void;
  postMessage(message: ConnectReply): void;
  close(): void;
};

scope.onmessage = async ({ data }) => {
  try {
    const request = data as ConnectRequest, connected = await connect(request);
    const { rank, size } = connected;
    const ended = new Promise<void>((resolve, reject) => {
      let server: RoundServer | undefined;
      scope.onmessage = ({ data }) => {
        const message = data as WorkerMessage;
        if ("mailbox" in message) {
          server = new RoundServer(new Mailbox(message.mailbox, size), (reserve) => {
            if ("perform" in connected) return { group: connected };
            const group = communicator(connected, request.group, { reserve });
            return { group, exchange: group.exchange };
          });
          server.serve().then(resolve, reject);
        } else if ("abort" in message) server!.abort(message.abort).then(resolve, reject);
        else server!.take(message);
      };
    });
    scope.postMessage({ rank, size, uniform: "uniform" in connected && connected.uniform === true });
    await ended;
    scope.close(); // A thread that has nothing left to do must not keep the process.
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ name, message, blamed: error instanceof TransportError ? error.rank : undefined });
  }
};

/** Calls the module's function. */
async function connect({ module, connect, options, name }: ConnectRequest): Promise<Transport | Collective> {
  const exported: unknown = (await import(module))[connect];
  if (typeof exported !== "function") {
    throw new TypeError(`Cannot connect ${name}: ${connect} of ${module} is ${show(exported)}, expected a function`);
  }
  const connected: unknown = await exported(options);
  if (isConnected(connected)) return connected;
  throw new TypeError(
    `Cannot connect ${name}: ${connect} of ${module} returned ${show(connected)}, expected a transport or a group`,
  );
}

function isConnected(value: unknown): value is Transport | Collective {
  if (typeof value !== "object" || value === null) return false;
  const { perform, send, receive } = value as Partial<Transport & Collective>;
  return typeof perform === "function" || (typeof send === "function" && typeof receive === "function");
}
