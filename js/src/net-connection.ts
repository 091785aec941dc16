import { closeToPeers, handlerOf } from "./client-call.js";
import { type ObjectEncoding, Responder } from "./encoding.js";
import { NetStatusError, StatusTarget } from "./events.js";
import { Link } from "./link.js";
import type { StatusInfo } from "./protocol.js";
import { resolveUrl } from "./url.js";

interface PendingCall {
  responder: Responder | null;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * A connection to an application on an RTMP server, over one WebSocket. Dispatches `netStatus`.
 *
 * Calls return at once and are carried out in order; what went wrong arrives as a status.
 */
export class NetConnection extends StatusTarget {
  /** The `objectEncoding` of connections made from now on. */
  static defaultObjectEncoding: ObjectEncoding = 0;

  /** Its methods answer what the server calls (`onBWDone`, `onBWCheck`, …); what a method returns is sent back. */
  client: object = {};

  /** How arguments are written. */
  objectEncoding: ObjectEncoding = NetConnection.defaultObjectEncoding;

  #link: Link | null = null;
  #connected = false;
  #uri = "";
  #calls = new Map<number, PendingCall>();
  #nextCall = 1;
  #settle: { resolve(info: StatusInfo): void; reject(error: NetStatusError): void } | null = null;

  /** Whether NetConnection.Connect.Success has come and the connection still stands. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The address given to `connect`, absolute. */
  get uri(): string {
    return this.#uri;
  }

  /**
   * Connects to `ws://HOST[:PORT]/APP` (an address without a host is this page's own); `args` are given to the application.
   * The promise is settled by NetConnection.Connect.Success or by the status that refused; ignoring it is fine.
   */
  connect(url: string, ...args: unknown[]): Promise<StatusInfo> {
    if (this.#link?.started) this.#link.abandon();
    const link = this.link();
    this.#uri = String(url);
    const promise = new Promise<StatusInfo>((resolve, reject) => (this.#settle = { resolve, reject }));
    promise.catch(() => {});
    const resolved = resolveUrl(url);
    if ("problem" in resolved) {
      link.refuse(resolved.problem);
    } else {
      this.#uri = resolved.url;
      const pageUrl = globalThis.location?.href ?? "";
      link.connect({ type: "connect", url: resolved.url, args: structuredClone(args), pageUrl, objectEncoding: this.objectEncoding });
    }
    return promise;
  }

  /** Closes the connection and every stream on it; NetConnection.Connect.Closed follows. */
  close(): void {
    this.#connected = false;
    this.#link?.close();
  }

  /**
   * Calls `name` on the server. The answer goes to `responder`, when there is one, and to the promise.
   * Without a responder, an error is also a NetConnection.Call.Failed status.
   */
  call(name: string, responder: Responder | null = null, ...args: unknown[]): Promise<unknown> {
    const promise = new Promise<unknown>((resolve, reject) => {
      const call = this.#nextCall++;
      this.#calls.set(call, { responder, resolve, reject });
      const link = this.#link;
      if (!link || link.over) queueMicrotask(() => this.#answer(call, { error: this.#notConnected() }));
      else link.post({ type: "call", call, name, args: structuredClone(args) });
    });
    promise.catch(() => {});
    return promise;
  }

  /** @internal The link that new streams join; it may not be connected yet. */
  link(): Link {
    if (!this.#link || this.#link.over) this.#link = this.#newLink();
    return this.#link;
  }

  #newLink(): Link {
    const link: Link = new Link({
      status: (info) => this.#status(info),
      callResult: (call, result) => this.#answer(call, result),
      invoke: (name, args, reply) => void this.#invoke(link, name, args, reply),
      ended: (info) => this.#ended(info),
    });
    return link;
  }

  #status(info: StatusInfo): void {
    if (info.code === "NetConnection.Connect.Success") {
      this.#connected = true;
      this.#settle?.resolve(info);
      this.#settle = null;
    } else if (info.code.startsWith("NetConnection.Connect.") && info.level === "error") {
      this.#settle?.reject(new NetStatusError(info));
      this.#settle = null;
    }
    this.report(info);
  }

  #ended(info: StatusInfo): void {
    this.#connected = false;
    for (const call of [...this.#calls.keys()]) this.#answer(call, { error: this.#notConnected() });
    this.#settle?.reject(new NetStatusError(info));
    this.#settle = null;
    this.report(info);
  }

  #answer(call: number, result: { value?: unknown; error?: unknown }): void {
    const pending = this.#calls.get(call);
    if (!pending) return;
    this.#calls.delete(call);
    if (result.error === undefined) {
      pending.responder?.result?.(result.value);
      pending.resolve(result.value);
      return;
    }
    pending.responder?.status?.(result.error);
    pending.reject(result.error);
    if (!pending.responder?.status) this.report(callFailed(result.error));
  }

  async #invoke(link: Link, name: string, args: unknown[], reply: number | undefined): Promise<void> {
    const handler = handlerOf(this.client, name);
    let answer: { value?: unknown; error?: string };
    try {
      answer = handler ? { value: structuredClone(await handler(...args)) } : { error: `Method not found (${name}).` };
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) };
      reportError(error);
    }
    if (reply !== undefined) link.post({ type: "reply", reply, ...answer });
  }

  #notConnected(): StatusInfo {
    return { level: "error", code: "NetConnection.Call.Failed", description: "The connection is closed." };
  }
}
closeToPeers(NetConnection.prototype);
closeToPeers(StatusTarget.prototype);

function callFailed(error: unknown): StatusInfo {
  const info = error as Partial<StatusInfo> | null;
  if (info && typeof info === "object" && typeof info.code === "string") {
    return { level: "error", description: "", ...info, code: info.code };
  }
  return { level: "error", code: "NetConnection.Call.Failed", description: String(error) };
}

/** An error in a page's handler belongs on the page's console, not in the engine. */
function reportError(error: unknown): void {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
