import type { StatusInfo } from "../events.js";
import type { AudioSettings, ToWorker, VideoSettings } from "../protocol.js";
import { AudioFeed } from "./audio-feed.js";
import type { Input } from "./input.js";
import { ended } from "./refusal.js";
import { VideoFeed } from "./video-feed.js";

type Post = (message: ToWorker, transfer?: Transferable[]) => void;

/** What can be attached: an Input, or a track that the page made itself. */
export interface Source<Settings> {
  readonly input: Input | null;
  open(): Promise<MediaStreamTrack>;
  settings(track: MediaStreamTrack): Settings;
  release(): void;
}

interface Feed<Settings> {
  update(settings: Settings): void;
  close(): void;
}

/** One source attached to one stream, from opening it to letting it go. */
export class Attachment<Settings> {
  readonly source: Source<Settings>;
  readonly #start: (track: MediaStreamTrack, settings: () => Settings) => Promise<Feed<Settings>>;
  readonly #refused: (info: StatusInfo) => void;
  #feed: Feed<Settings> | null = null;
  #opening: Promise<void> | null = null;
  #held = false;
  #closed = false;

  private constructor(
    source: Source<Settings>,
    start: (track: MediaStreamTrack, settings: () => Settings) => Promise<Feed<Settings>>,
    refused: (info: StatusInfo) => void,
  ) {
    this.source = source;
    this.#start = start;
    this.#refused = refused;
    source.input?.addEventListener("settings", this.#settings);
    source.input?.addEventListener("change", this.#change);
    source.input?.addEventListener("ended", this.#ended);
  }

  static video(stream: number, source: Source<VideoSettings>, post: Post, refused: (info: StatusInfo) => void): Attachment<VideoSettings> {
    const start = async (track: MediaStreamTrack, settings: () => VideoSettings): Promise<Feed<VideoSettings>> => {
      const feed = new VideoFeed(stream, post);
      await feed.open(track, settings);
      return feed;
    };
    return new Attachment(source, start, refused);
  }

  static audio(stream: number, source: Source<AudioSettings>, post: Post, refused: (info: StatusInfo) => void): Attachment<AudioSettings> {
    const start = async (track: MediaStreamTrack, settings: () => AudioSettings): Promise<Feed<AudioSettings>> => {
      const feed = new AudioFeed(stream, post);
      await feed.open(track, settings);
      return { update: () => {}, close: () => feed.close() };
    };
    return new Attachment(source, start, refused);
  }

  /** Whether the source feeds the engine. */
  get live(): boolean {
    return this.#feed !== null;
  }

  /** Opens the source, unless it is open, and feeds it to the engine. A refusal is reported, not thrown. */
  open(): Promise<void> {
    if (this.live || this.#closed) return Promise.resolve();
    return (this.#opening ??= this.#open().finally(() => (this.#opening = null)));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.source.input?.removeEventListener("settings", this.#settings);
    this.source.input?.removeEventListener("change", this.#change);
    this.source.input?.removeEventListener("ended", this.#ended);
    this.#stop();
  }

  async #open(): Promise<void> {
    this.#held = true;
    try {
      const track = await this.source.open();
      if (this.#closed) return;
      const feed = await this.#start(track, () => this.source.settings(track));
      if (this.#closed) feed.close();
      else this.#feed = feed;
    } catch (error) {
      this.#stop();
      if (!this.#closed) this.#refused(asStatus(error));
    }
  }

  #stop(): void {
    this.#feed?.close();
    this.#feed = null;
    if (this.#held) this.source.release();
    this.#held = false;
  }

  readonly #settings = (): void => {
    const track = this.source.input?.track;
    if (track) this.#feed?.update(this.source.settings(track));
  };

  /** The input has another track now. */
  readonly #change = (): void => {
    this.#stop();
    void this.open();
  };

  readonly #ended = (): void => {
    this.#stop();
    if (this.source.input) this.#refused(ended(this.source.input.device));
  };
}

function asStatus(error: unknown): StatusInfo {
  const info = error as Partial<StatusInfo> | null;
  if (info && typeof info.code === "string" && typeof info.description === "string") return info as StatusInfo;
  return { level: "error", code: "NetStream.Failed", description: error instanceof Error ? error.message : String(error) };
}
