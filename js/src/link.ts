import { Engine } from "./engine.js";
import type { FromWorker, StatusInfo, StreamStats, ToMediaSource, ToWorker } from "./protocol.js";

/** What a NetStream hears from its connection. */
export interface StreamPeer {
  status(info: StatusInfo): void;
  invoke(name: string, args: unknown[]): void;
  videoSize(width: number, height: number): void;
  /** The last picture; the stream's to close. */
  picture(frame: VideoFrame): void;
  stats(stats: StreamStats): void;
  media(message: ToMediaSource): void;
  /** The connection is gone, and the stream with it. */
  ended(info: StatusInfo): void;
}

/** What a NetConnection hears from its link. */
export interface LinkOwner {
  status(info: StatusInfo): void;
  callResult(call: number, result: { value?: unknown; error?: unknown }): void;
  invoke(name: string, args: unknown[], reply: number | undefined): void;
  /** Nothing more comes over this link. */
  ended(info: StatusInfo): void;
}

/** How long a Worker may take to say goodbye. */
const CLOSE_TIMEOUT = 1000;

const ENDING = new Set(["NetConnection.Connect.Closed", "NetConnection.Connect.Failed"]);

type Message = { message: ToWorker; transfer: Transferable[] };

/** One life of a connection, from `connect` to its end: the engine, the streams on it, and what waits until it is connected. */
export class Link {
  readonly #owner: LinkOwner;
  readonly #streams: Map<number, StreamPeer>;
  #engine: Engine | null = null;
  #waiting: Message[] | null = [];
  #next = 1;
  #over = false;
  #started = false;
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: LinkOwner) {
    this.#owner = owner;
    this.#streams = new Map();
  }

  get over(): boolean {
    return this.#over || this.#closing !== undefined;
  }

  /** Whether `connect` was asked for. */
  get started(): boolean {
    return this.#started && !this.#over;
  }

  connect(message: Extract<ToWorker, { type: "connect" }>): void {
    this.#started = true;
    this.#engine = new Engine({
      message: (received) => this.#receive(received),
      failed: (description) => this.#engineFailed(description),
    });
    globalThis.document?.addEventListener("visibilitychange", this.#visibility);
    this.#visibility();
    this.#engine.post(message);
  }

  /** The page's number for a new stream; `peer` hears about it. */
  addStream(peer: StreamPeer): number {
    const stream = this.#next++;
    this.#streams.set(stream, peer);
    this.post({ type: "createStream", stream });
    return stream;
  }

  /** Sends, or keeps until the connection stands. */
  post(message: ToWorker, transfer: Transferable[] = []): void {
    if (this.#over) return;
    if (this.#waiting) this.#waiting.push({ message, transfer });
    else this.#engine?.post(message, transfer);
  }

  /** Ends the link; the owner hears NetConnection.Connect.Closed. */
  close(): void {
    if (this.#over || this.#closing !== undefined) return;
    if (!this.#engine) {
      this.#end(closed("The connection was closed."));
      return;
    }
    this.#waiting = [];
    this.#engine.post({ type: "close" });
    this.#closing = setTimeout(() => this.#end(closed("The connection was closed.")), CLOSE_TIMEOUT);
  }

  /** Ends the link at once, for another that takes its place. */
  abandon(): void {
    this.#end(closed("The connection was replaced by another."));
  }

  /** Ends the link with NetConnection.Connect.Failed, after the call that asked for it has returned. */
  refuse(description: string): void {
    this.#started = true;
    queueMicrotask(() => this.#fail(description, "address"));
  }

  #fail(description: string, reason: string): void {
    this.#end({ level: "error", code: "NetConnection.Connect.Failed", description, reason });
  }

  /** An engine that stops in the middle of a lesson is an interruption; one that never starts, a failure. */
  #engineFailed(description: string): void {
    if (this.#waiting) this.#fail(description, "engine");
    else this.#end({ level: "error", code: "NetConnection.Connect.Closed", description, reason: "engine" });
  }

  readonly #visibility = (): void => {
    const hidden = globalThis.document?.hidden ?? false;
    this.#engine?.post({ type: "visibility", hidden });
  };

  #receive(message: FromWorker): void {
    if (this.#over) return;
    switch (message.type) {
      case "status":
        if (message.stream === undefined) this.#connectionStatus(message.info);
        else this.#streams.get(message.stream)?.status(message.info);
        break;
      case "callResult":
        this.#owner.callResult(message.call, message);
        break;
      case "invoke":
        if (message.stream === undefined) this.#owner.invoke(message.name, message.args, message.reply);
        else this.#streams.get(message.stream)?.invoke(message.name, message.args);
        break;
      case "videoSize":
        this.#streams.get(message.stream)?.videoSize(message.width, message.height);
        break;
      case "picture":
        this.#streams.get(message.stream)?.picture(message.frame);
        break;
      case "stats":
        this.#streams.get(message.stream)?.stats(message.stats);
        break;
      case "mediaSource":
      case "mediaSegment":
      case "mediaClock":
        this.#streams.get(message.stream)?.media(message);
        break;
      default:
        break;
    }
  }

  #connectionStatus(info: StatusInfo): void {
    if (ENDING.has(info.code)) {
      this.#end(info);
      return;
    }
    this.#owner.status(info);
    if (info.code === "NetConnection.Connect.Success" && this.#waiting) {
      const waiting = this.#waiting;
      this.#waiting = null;
      for (const { message, transfer } of waiting) this.#engine?.post(message, transfer);
    }
  }

  #end(info: StatusInfo): void {
    if (this.#over) return;
    // However it ends now, the page has asked for it.
    if (this.#closing !== undefined) info = closed("The connection was closed.");
    this.#over = true;
    clearTimeout(this.#closing);
    globalThis.document?.removeEventListener("visibilitychange", this.#visibility);
    // First the streams: what an engine has drawn may be gone with it.
    for (const peer of this.#streams.values()) peer.ended(info);
    this.#engine?.terminate();
    this.#waiting = null;
    this.#streams.clear();
    this.#owner.ended(info);
  }
}

function closed(description: string): StatusInfo {
  return { level: "status", code: "NetConnection.Connect.Closed", description };
}
