import type { StatusInfo } from "./protocol.js";

export type { StatusInfo } from "./protocol.js";

/** A status as ActionScript delivers it: `event.info.code` says what happened, `event.info.level` whether it is bad. */
export class NetStatusEvent extends Event {
  /** The event's type, as ActionScript 3 spells it. */
  static readonly NET_STATUS = "netStatus";

  constructor(readonly info: StatusInfo, type: string = NetStatusEvent.NET_STATUS) {
    super(type);
  }
}

/** What the promises of `connect`, `publish` and `play` are rejected with. */
export class NetStatusError extends Error {
  constructor(readonly info: StatusInfo) {
    super(`${info.code}: ${info.description}`);
    this.name = "NetStatusError";
  }

  get code(): string {
    return this.info.code;
  }
}

export interface NetStatusEventMap {
  netStatus: NetStatusEvent;
}

/** At most this many statuses are kept for a listener that has not come yet; the oldest goes first. */
const KEPT = 64;

/**
 * An EventTarget whose statuses are never dispatched inside the call that caused them, and never lost: they are kept, in order,
 * until the first listener is added, so a refusal also reaches code that listens after `connect`.
 */
export class StatusTarget extends EventTarget {
  readonly #type: string;
  readonly #waiting: StatusInfo[] = [];
  #heard = false;
  #scheduled = false;

  /** @internal */
  constructor(type: string = NetStatusEvent.NET_STATUS) {
    super();
    this.#type = type;
  }

  override addEventListener<K extends keyof NetStatusEventMap>(
    type: K,
    listener: (event: NetStatusEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: unknown, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener as EventListener | null, options);
    if (type === this.#type && listener) {
      this.#heard = true;
      this.#schedule();
    }
  }

  /** @internal Delivers `info` in a later microtask, or when somebody listens. */
  report(info: StatusInfo): void {
    this.#waiting.push(info);
    if (this.#waiting.length > KEPT) this.#waiting.shift();
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#heard || this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      for (const info of this.#waiting.splice(0)) this.dispatchEvent(new NetStatusEvent(info, this.#type));
    });
  }
}
