import type { NetConnection, NetStream, StatusInfo } from "../../index.js";
import { Session, type SessionOwner } from "../session.js";

export type PlayerState = "idle" | "connecting" | "waiting" | "buffering" | "playing" | "ended" | "paused" | "retrying" | "failed";

/** Seconds of media that are not worth waiting for. */
const RESIDUE = 0.2;

/** Seconds that must have been played for the lesson to be under way. */
const UNDER_WAY = 0.3;

/** What waiting and trying again cannot mend. */
const FINAL = new Set([
  "NetConnection.Connect.Rejected",
  "NetConnection.Connect.InvalidApp",
  "NetStream.Play.Denied",
  "NetStream.Play.Failed",
  "NetStream.Play.NoSupportedTrackFound",
]);

/** What the player hears of its attendance. */
export interface AttendanceOwner extends SessionOwner {
  /** A stream is about to be played: say where its picture and sound go. */
  begins(stream: NetStream): void;
  stateChanged(state: PlayerState): void;
}

/** One student's presence in a lesson, through interruptions: it joins, waits for the teacher, and comes back. */
export class Attendance {
  readonly #owner: AttendanceOwner;
  readonly #session: Session;
  #src = "";
  #state: PlayerState = "idle";
  #problem: StatusInfo | null = null;
  /** The server has answered before, so a failure is an interruption. */
  #met = false;
  /** The lesson has been seen: what comes now is an interruption. */
  #played = false;
  /** The publisher has gone, and the buffer plays out. */
  #ending = false;
  /** What the browser cannot play of this stream, while it plays the rest. */
  #missing: StatusInfo | null = null;
  /** Seconds played when the buffer began to fill. */
  #stoodAt = 0;

  constructor(owner: AttendanceOwner) {
    this.#owner = owner;
    this.#session = new Session({ status: (info) => this.#status(info), changed: () => this.#counted() });
  }

  get state(): PlayerState {
    return this.#state;
  }

  get stream(): NetStream | null {
    return this.#session.stream;
  }

  get connection(): NetConnection | null {
    return this.#session.connection;
  }

  /** Why the lesson is not shown: what interrupted it, or what ended it. */
  get problem(): StatusInfo | null {
    return this.#problem;
  }

  /** The status of the picture or the sound that this browser cannot play. */
  get missing(): StatusInfo | null {
    return this.#missing;
  }

  /** Whether the server has answered since `join`. */
  get met(): boolean {
    return this.#met;
  }

  /** Whether the lesson has been seen since `join`. */
  get played(): boolean {
    return this.#played;
  }

  /** Seconds until the next attempt. */
  get seconds(): number {
    return this.#session.seconds;
  }

  /** Joins the lesson at `src`, or joins it again; an empty one is none. */
  join(src: string): void {
    this.#src = src;
    this.#problem = null;
    this.#met = false;
    this.#played = false;
    if (src === "") this.leave("idle");
    else this.#open();
  }

  /** Leaves the lesson. */
  leave(state: "idle" | "paused"): void {
    this.#session.close();
    this.#setState(state);
  }

  #open(): void {
    this.#ending = false;
    this.#missing = null;
    this.#setState("connecting");
    this.#session.open(this.#src, (stream, name) => {
      this.#owner.begins(stream);
      stream.play(name);
    });
  }

  #status(info: StatusInfo): void {
    this.#owner.status(info);
    switch (info.code) {
      case "NetConnection.Connect.Success":
        this.#session.succeeded();
        this.#problem = null;
        this.#met = true;
        break;
      case "NetStream.Play.Start":
        if (this.#state !== "waiting") this.#setState("buffering");
        break;
      case "NetStream.Play.PublishNotify":
        this.#ending = false;
        this.#missing = null;
        this.#setState("buffering");
        break;
      case "NetStream.Buffer.Empty":
        if (this.#ending) this.#setState("ended");
        else if (this.#state === "playing") this.#setState("buffering");
        break;
      case "NetStream.Buffer.Full":
        this.#setState("playing");
        break;
      case "NetStream.Play.StreamNotFound":
        this.#setState("waiting");
        break;
      case "NetStream.Play.UnpublishNotify":
        // What has arrived already is still to be seen.
        this.#ending = this.#state === "playing" && (this.stream?.bufferLength ?? 0) > RESIDUE;
        if (!this.#ending) this.#setState("ended");
        break;
      case "NetConnection.Connect.Failed":
      case "NetConnection.Connect.Closed":
        this.#interrupted(info);
        break;
      default:
        if (info.code === "NetStream.Play.NoSupportedTrackFound" && info.reason) this.#missing = info;
        else if (FINAL.has(info.code)) this.#fail(info);
        else if (info.level === "error" && info.code.startsWith("NetConnection.Connect.")) this.#problem = info;
    }
  }

  #interrupted(info: StatusInfo): void {
    if (info.reason === "address") return this.#fail(info);
    // A refusal says more than the end that follows it.
    if (this.#state === "failed") return this.#session.close();
    this.#problem = info;
    this.#session.later(() => this.#open());
    this.#setState("retrying");
  }

  #fail(info: StatusInfo): void {
    this.#problem = info;
    this.#setState("failed");
  }

  #counted(): void {
    const { stream } = this;
    if (this.#ending && (stream?.bufferLength ?? 0) < RESIDUE) {
      this.#ending = false;
      this.#setState("ended");
    }
    // A publisher that was back before the buffer was empty causes no Buffer.Full.
    if (this.#state === "buffering" && (stream?.bufferLength ?? 0) > 0 && (stream?.time ?? 0) > this.#stoodAt + UNDER_WAY) this.#setState("playing");
    this.#owner.changed();
  }

  #setState(state: PlayerState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state === "playing") this.#played = true;
    if (state === "buffering") this.#stoodAt = this.stream?.time ?? 0;
    this.#owner.stateChanged(state);
  }
}
