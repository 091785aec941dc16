import { MseSource, mediaSourceClass } from "./mse-source.js";
import type { StatusInfo, ToMediaSource, ToWorker } from "./protocol.js";

/** Where a stream's pictures are seen. */
export interface View {
  /** Shows `surface` above what is there, which stays until `pictured`. */
  use(surface: HTMLCanvasElement | HTMLVideoElement): void;
  /** The newest surface has a picture. */
  pictured(): void;
  /** Puts a copy of `picture` in the place of the newest surface, which is about to go. */
  keep(picture: VideoFrame): void;
}

/** What an output tells its stream. */
export interface MseOutputOwner {
  /** Another element plays from here on. */
  surface(element: HTMLVideoElement): void;
  pictured(width: number, height: number): void;
  /** `running` may have changed. */
  soundChanged(): void;
  report(info: StatusInfo): void;
}

/** Plays one stream through video elements, one for each MediaSource that the Worker begins. */
export class MseOutput {
  readonly #stream: number;
  readonly #post: (message: ToWorker) => void;
  readonly #owner: MseOutputOwner;
  #element: HTMLVideoElement;
  #source: { number: number; media: MseSource } | null = null;
  /** The element before, until the new one has a picture. */
  #old: HTMLVideoElement | null = null;
  #used = false;
  #volume: number;
  /** The browser lets the element play only without sound, until a gesture. */
  #blocked = false;
  #paused = false;
  #closed = false;

  constructor(stream: number, volume: number, post: (message: ToWorker) => void, owner: MseOutputOwner) {
    this.#stream = stream;
    this.#post = post;
    this.#owner = owner;
    this.#volume = volume;
    this.#element = this.#make();
    document.addEventListener("visibilitychange", this.#visibility);
  }

  /** Whether there is anything to play by. */
  static get supported(): boolean {
    return mediaSourceClass() !== undefined;
  }

  /** Whether the browser plays segments of this type. */
  static takes(type: string): boolean {
    return mediaSourceClass()?.isTypeSupported(type) ?? false;
  }

  get element(): HTMLVideoElement {
    return this.#element;
  }

  /** Whether sound can be heard: false until the user's first gesture on a page that may not play by itself. */
  get running(): boolean {
    return !this.#blocked;
  }

  /** 0 to 1. */
  set volume(volume: number) {
    this.#volume = volume;
    this.#applyVolume();
  }

  receive(message: ToMediaSource): void {
    if (this.#closed) return;
    if (message.type === "mediaSource") this.#open(message);
    else if (message.source !== this.#source?.number) return;
    else if (message.type === "mediaSegment") this.#source.media.append(message.track, message);
    else this.#source.media.setClock(message);
  }

  /** Inside a gesture: lets the sound be heard. */
  async resume(): Promise<void> {
    this.#setBlocked(false);
    if (this.#source?.media.begun) await this.#play();
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    if (paused) this.#element.pause();
    else if (this.#source?.media.begun) void this.#play();
  }

  /** Plays no more. The last picture stays. */
  close(): void {
    this.#closed = true;
    document.removeEventListener("visibilitychange", this.#visibility);
    this.#source?.media.close();
  }

  #open(message: Extract<ToMediaSource, { type: "mediaSource" }>): void {
    this.#source?.media.close();
    if (this.#used) {
      this.#dropOld();
      this.#old = this.#element;
      this.#element = this.#make();
      this.#owner.surface(this.#element);
    }
    this.#used = true;
    const { source } = message;
    const media = new MseSource(this.#element, message, {
      state: (state) => this.#post({ type: "mediaState", stream: this.#stream, source, ...state }),
      pictured: (width, height) => this.#pictured(width, height),
      play: () => void this.#play(),
      failed: (reason) => {
        console.warn(`chalkcast: ${reason}; the player begins again`);
        this.#post({ type: "mediaFailed", stream: this.#stream, source });
      },
      unsupported: (type, track) => {
        const description = `this browser has no decoder for ${type}`;
        this.#owner.report({ level: "error", code: "NetStream.Play.NoSupportedTrackFound", description, ...(track && { reason: track }) });
      },
    });
    this.#source = { number: source, media };
  }

  #make(): HTMLVideoElement {
    const element = document.createElement("video");
    element.playsInline = true;
    element.preservesPitch = true;
    // What is below shows through until there is a picture.
    element.style.opacity = "0";
    this.#applyVolume(element);
    return element;
  }

  #pictured(width: number, height: number): void {
    this.#element.style.opacity = "";
    this.#owner.pictured(width, height);
    this.#dropOld();
  }

  /** One that is on the page is let go by who shows it, once the new picture has reached the screen. */
  #dropOld(): void {
    if (this.#old && !this.#old.isConnected) release(this.#old);
    this.#old = null;
  }

  #applyVolume(element = this.#element): void {
    element.volume = this.#volume;
    // What is silent anyway may play without a gesture.
    element.muted = this.#blocked || this.#volume === 0;
  }

  async #play(): Promise<void> {
    if (this.#paused || this.#closed) return;
    try {
      await this.#element.play();
    } catch (error) {
      if (!(error instanceof Error && error.name === "NotAllowedError") || this.#element.muted) return;
      this.#setBlocked(true);
      await this.#element.play().catch(() => {});
    }
  }

  #setBlocked(blocked: boolean): void {
    const changed = this.#blocked !== blocked;
    this.#blocked = blocked;
    this.#applyVolume();
    if (changed) this.#owner.soundChanged();
  }

  /** A browser may have paused a silent picture that nobody saw. */
  readonly #visibility = (): void => {
    if (!document.hidden && this.#element.paused && this.#source?.media.begun) void this.#play();
  };
}

/** Lets go of what an element that nobody sees any more holds. */
export function release(element: HTMLVideoElement): void {
  element.pause();
  element.srcObject = null;
  element.removeAttribute("src");
  element.load();
}
