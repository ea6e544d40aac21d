/** Notices errors and rejections that nobody handles, which end a thread. @module */

/** Called with an error that nobody handles. Returns true where it has reported the error, which is then not printed. */
type Uncaught = (error: unknown) => boolean | void;

const observers = new Set<Uncaught>(), kinds = ["error", "unhandledrejection"];

/**
 * Calls `tell` for each error and rejection of this thread that nobody handles. Listeners of the program come first, whenever
 * they were added: what one of them handles, `tell` is not called for. Returns a function that ends this.
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
 * Begins to watch. Deno ends a worker right after the event, before any timer runs, so that one must look at the end of the
 * event's dispatch whether a listener has handled it. Elsewhere the thread goes on, and one can look a little later.
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

/** Whether a listener of Node's `process` handles such an event. */
function handledByProcess(kind: string): boolean {
  const { process } = globalThis as { process?: { listenerCount?: (event: string) => number } };
  const count = (event: string) => process?.listenerCount?.(event) ?? 0;
  return count("uncaughtException") > 0 || (kind === "unhandledrejection" && count("unhandledRejection") > 0);
}
