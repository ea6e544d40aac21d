/** Errors and rejections that nobody handles: they end a thread. @module */

/** Told of one; returns whether it has said it where it matters, so that the thread need not print it. */
export type Uncaught = (error: unknown) => boolean | void;

const observers = new Set<Uncaught>(), kinds = ["error", "unhandledrejection"];

/**
 * Calls `tell` for each error and rejection of this thread that nobody handles. A listener that handles one may have been
 * added at any time, by the program after `tell` too: it is asked first. Returns how to stop that.
 */
export function onUncaught(tell: Uncaught): () => void {
  if (observers.size === 0) watch();
  observers.add(tell);
  return () => {
    observers.delete(tell);
    if (observers.size === 0) unwatch();
  };
}

function told(event: Event): boolean {
  const { error, reason } = event as { error?: unknown; reason?: unknown };
  let said = false;
  for (const tell of [...observers]) said = tell(event.type === "error" ? error : reason) === true || said;
  return said;
}

/**
 * Deno ends a worker right after the event, and runs no timer before that: what counts is whether the event is handled when
 * its dispatch ends. Elsewhere the thread goes on, so that this can be looked up a little later.
 */
function watch(): void {
  if ("Deno" in globalThis) globalThis.dispatchEvent = dispatch;
  else for (const kind of kinds) globalThis.addEventListener?.(kind, later);
}

function unwatch(): void {
  if (globalThis.dispatchEvent === dispatch) Reflect.deleteProperty(globalThis, "dispatchEvent");
  for (const kind of kinds) globalThis.removeEventListener?.(kind, later);
}

function dispatch(event: Event): boolean {
  const handled = !EventTarget.prototype.dispatchEvent.call(globalThis, event);
  if (!kinds.includes(event.type) || handled || event.defaultPrevented || handledByProcess(event.type)) return !handled;
  if (told(event)) event.preventDefault();
  return !event.defaultPrevented;
}

function later(event: Event): void {
  setTimeout(() => event.defaultPrevented || told(event));
}

/** Whether a listener in the manner of Node takes care of it. */
function handledByProcess(kind: string): boolean {
  const { process } = globalThis as { process?: { listenerCount?: (event: string) => number } };
  const count = (event: string) => process?.listenerCount?.(event) ?? 0;
  return count("uncaughtException") > 0 || (kind === "unhandledrejection" && count("unhandledRejection") > 0);
}
