/** Objects whose methods a peer may never reach, even when a program makes itself the `client`. */
const closed = new Set<unknown>([Object.prototype, EventTarget.prototype]);

/** @internal Closes the methods of `prototype` to peers; subclasses may still add handlers of their own. */
export function closeToPeers(prototype: object): void {
  closed.add(prototype);
}

/** @internal The handler `name` of `client`, or null. `base` is the package's own class, whose methods are not handlers. */
export function handlerOf(client: object, name: string): ((...args: unknown[]) => unknown) | null {
  if (name === "constructor") return null;
  for (let at: object | null = client; at && !closed.has(at); at = Object.getPrototypeOf(at) as object | null) {
    if (!Object.hasOwn(at, name)) continue;
    const handler = (client as Record<string, unknown>)[name];
    return typeof handler === "function" ? (...args) => handler.apply(client, args) as unknown : null;
  }
  return null;
}
