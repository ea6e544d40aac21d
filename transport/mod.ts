/**
 * Ranks that exchange messages: transports, the rounds that groups of ranks perform over them, and what runs methods on
 * groups.
 *
 * @module
 */

export { type Transport, TransportError } from "./transport.ts";
export * from "./round.ts";
export * from "./drivers.ts";
export { encodedBytes } from "./ops.ts";
export * from "./memory.ts";
export { collective, type CollectiveOptions } from "./collective/collective.ts";
export type { Deadlines } from "./deadlines.ts";
export { alone } from "./alone.ts";
export {
  broadcastChannel,
  broadcastChannelAsync,
  type BroadcastChannelOptions,
  broadcastChannelTransport,
  groupMemory,
  type GroupMemoryOptions,
} from "./broadcast_channel/broadcast_channel.ts";
export type { GroupMemory } from "./shared_memory/rendezvous.ts";
export { handshake } from "./handshake.ts";
export { connect, type ConnectOptions } from "./connect.ts";
export { tcp } from "./tcp/tcp.ts";
export { tcpBlocking } from "./tcp/tcp_blocking.ts";
export { blocking, type BlockingOptions } from "./blocking/blocking.ts";
export type { TcpOptions } from "./tcp/tcp_options.ts";
