import { NetConnection, NetStream, type StatusInfo } from "../index.js";
import { splitStream } from "../url.js";

/** What an element hears from its session. */
export interface SessionOwner {
  /** A status of the connection in use, or of its stream. */
  status(info: StatusInfo): void;
  /** New figures, or the time until the next attempt has changed. */
  changed(): void;
}

/** The one stream of an element and the connection it is on: opened, given up, and opened again after a while. */
export class Session {
  readonly #owner: SessionOwner;
  readonly #retry = new Retry();
  #connection: NetConnection | null = null;
  #stream: NetStream | null = null;

  constructor(owner: SessionOwner) {
    this.#owner = owner;
  }

  get connection(): NetConnection | null {
    return this.#connection;
  }

  get stream(): NetStream | null {
    return this.#stream;
  }

  /** Seconds until the next attempt, 0 when none is planned. */
  get seconds(): number {
    return this.#retry.seconds;
  }

  /** Connects to the server that `src` names; `begin` asks for the stream. What is wrong with `src` is a status too. */
  open(src: string, begin: (stream: NetStream, name: string) => void): void {
    this.close();
    const target = splitStream(src);
    if ("problem" in target) {
      this.#owner.status({ level: "error", code: "NetConnection.Connect.Failed", description: target.problem, reason: "address" });
      return;
    }
    const connection = (this.#connection = new NetConnection());
    const stream = (this.#stream = new NetStream(connection));
    connection.addEventListener("netStatus", ({ info }) => this.#connection === connection && this.#owner.status(info));
    stream.addEventListener("netStatus", ({ info }) => this.#stream === stream && this.#owner.status(info));
    stream.addEventListener("stats", () => this.#stream === stream && this.#owner.changed());
    stream.addEventListener("soundstate", () => this.#stream === stream && this.#owner.changed());
    connection.connect(target.url);
    begin(stream, target.name);
  }

  /** Calls `open` when it is time to try again. */
  later(open: () => void): void {
    this.close();
    this.#retry.schedule(open, () => this.#owner.changed());
  }

  /** It worked: the next failure is tried again soon. */
  succeeded(): void {
    this.#retry.succeeded();
  }

  /** Gives the connection up, and any further attempt. */
  close(): void {
    this.#retry.cancel();
    const [connection, stream] = [this.#connection, this.#stream];
    this.#connection = null;
    this.#stream = null;
    stream?.dispose();
    connection?.close();
  }
}

/** When to try again: after about 0.4, 0.8, 1.6, … 30 s, each earlier or later by up to half, so that a class does not come back all at once. */
class Retry {
  #attempts = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #at = 0;

  get seconds(): number {
    return this.#timer === undefined ? 0 : Math.max(1, Math.ceil((this.#at - performance.now()) / 1000));
  }

  /** Calls `again` when it is time, and `tick` some times a second until then. */
  schedule(again: () => void, tick: () => void): void {
    this.cancel();
    const delay = Math.min(30_000, 400 * 2 ** this.#attempts++) * (0.5 + Math.random());
    this.#at = performance.now() + delay;
    this.#timer = setInterval(() => {
      if (performance.now() < this.#at) return tick();
      this.cancel();
      again();
    }, 100);
  }

  cancel(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  succeeded(): void {
    this.#attempts = 0;
  }
}
