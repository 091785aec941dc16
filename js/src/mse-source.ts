import type { MediaState, Segment, ToMediaSource } from "./protocol.js";
import { intersection, TrackBuffer } from "./track-buffer.js";

/** Seconds by which the element may be off the clock before it is moved: below, the rate brings it back. */
const APART = 0.4;
/** It is not moved while it has been off for less than this, in milliseconds: the clock may just have been set. */
const PATIENCE = 150;
/** Seconds that an element leaves unplayed when it stops before a hole. */
const UNPLAYED = 0.2;
/** Seconds in one piece with which it goes on behind a hole. */
const WORTH_PLAYING = 0.3;
/** Milliseconds between two reports. */
const REPORT = 80;
/** Milliseconds after which the element is looked at though nothing was appended. */
const IDLE = 250;
/** Milliseconds between two looks at what can be let go. */
const TIDY = 1000;

/** At the instant `at` the position is `time`, moving at `rate`; it was jumped to if `jump` is another than before. */
type Clock = Pick<Extract<ToMediaSource, { type: "mediaClock" }>, "at" | "time" | "rate" | "jump">;

/** What a source tells its owner. */
export interface MseSourceOwner {
  state(state: MediaState): void;
  /** Its first picture is there, or one of another size. */
  pictured(width: number, height: number): void;
  /** The element may play now; the browser's rules for sound are the owner's. */
  play(): void;
  failed(reason: string): void;
  /** The browser cannot open `type`; `track` is which of two, or null when there is nothing else. */
  unsupported(type: string, track: "picture" | "sound" | null): void;
}

/** The constructor there is: Safari on iPhone has only the managed one. */
export function mediaSourceClass(): typeof globalThis.MediaSource | undefined {
  type Class = typeof globalThis.MediaSource;
  const page = globalThis as { MediaSource?: Class; ManagedMediaSource?: Class };
  return page.MediaSource ?? page.ManagedMediaSource;
}

/** One MediaSource and the element that plays it. It brings the element to the Worker's clock at the start and when they have come apart. */
export class MseSource {
  readonly #element: HTMLVideoElement;
  readonly #owner: MseSourceOwner;
  readonly #tracks = new Map<"audio" | "video", TrackBuffer>();
  readonly #early: { track: "audio" | "video"; segment: Segment }[] = [];
  readonly #listeners = new AbortController();
  readonly #idle: ReturnType<typeof setInterval>;
  #opened = false;
  #over = false;
  #clock: Clock | null = null;
  /** The last jump of the clock's that was followed. */
  #jump = 0;
  #begun = false;
  #begin: ReturnType<typeof setTimeout> | undefined;
  /** Since when the element has been off the clock. */
  #apart: number | undefined;
  #reported = { at: 0, time: -1 };
  #tidied = 0;
  #counted = { at: 0, frames: 0, fps: 0 };
  #quota = 0;

  constructor(element: HTMLVideoElement, { audio, video }: Extract<ToMediaSource, { type: "mediaSource" }>, owner: MseSourceOwner) {
    this.#element = element;
    this.#owner = owner;
    this.#idle = setInterval(() => this.#tend(), IDLE);
    const signal = this.#listeners.signal;
    const on = (type: string, listener: () => void) => element.addEventListener(type, listener, { signal });
    on("error", () => this.#fail(element.error?.message ?? "the element failed"));
    for (const type of ["loadeddata", "resize"]) on(type, () => this.#pictured());
    for (const type of ["playing", "waiting", "seeked", "pause"]) on(type, () => this.#report(type));
    this.#open({ ...(audio && { audio }), ...(video && { video }) }, signal);
  }

  append(track: "audio" | "video", segment: Segment): void {
    if (this.#opened) this.#tracks.get(track)?.push(segment);
    else this.#early.push({ track, segment });
  }

  setClock(clock: Clock): void {
    this.#clock = clock;
    const playbackRate = Math.min(1.05, Math.max(0.95, clock.rate));
    if (this.#element.playbackRate !== playbackRate) this.#element.playbackRate = playbackRate;
    this.#tend();
  }

  /** Whether the element has been let go once its buffer was full. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Appends no more; the last picture stays. */
  close(): void {
    this.#over = true;
    this.#listeners.abort();
    clearInterval(this.#idle);
    clearTimeout(this.#begin);
    this.#element.pause();
  }

  #open(types: { audio?: string; video?: string }, signal: AbortSignal): void {
    const Source = mediaSourceClass();
    const playable = Object.entries(types).filter(([, type]) => Source?.isTypeSupported(type)) as ["audio" | "video", string][];
    if (!Source || playable.length === 0) {
      this.#owner.unsupported(Object.values(types).join(", "), null);
      return;
    }
    for (const [track, type] of Object.entries(types)) {
      if (!Source.isTypeSupported(type)) this.#owner.unsupported(type, track === "video" ? "picture" : "sound");
    }
    const source = new Source();
    source.addEventListener(
      "sourceopen",
      () => {
        URL.revokeObjectURL(url);
        try {
          // All of them before the first append: afterwards a browser takes no more.
          for (const [track, type] of playable) this.#tracks.set(track, this.#buffer(source.addSourceBuffer(type), type));
        } catch (error) {
          this.#fail(String(error));
          return;
        }
        this.#opened = true;
        for (const { track, segment } of this.#early.splice(0)) this.#tracks.get(track)?.push(segment);
      },
      { once: true, signal },
    );
    const url = URL.createObjectURL(source);
    // Safari opens a managed source only for an element that is played nowhere else.
    this.#element.disableRemotePlayback = true;
    this.#element.src = url;
  }

  #buffer(sourceBuffer: SourceBuffer, type: string): TrackBuffer {
    const buffer: TrackBuffer = new TrackBuffer(sourceBuffer, type, {
      changed: () => this.#tend(),
      full: () => {
        this.#quota++;
        if (!buffer.makeRoom(this.#position() ?? 0)) this.#fail("there is no memory for more of the stream");
      },
      failed: (reason) => this.#fail(reason),
    });
    return buffer;
  }

  /** Where the clock says that the element should be. */
  #position(): number | undefined {
    return this.#clock ? this.#clock.time + ((now() - this.#clock.at) / 1000) * this.#clock.rate : undefined;
  }

  #ranges(): [start: number, end: number][] {
    return intersection([...this.#tracks.values()].map((track) => track.ranges));
  }

  /** Looks after the element: something was appended, the clock was set, or time has passed. */
  #tend(): void {
    if (this.#over || !this.#opened) return;
    const position = this.#position();
    if (position !== undefined && !this.#element.seeking) {
      if (this.#begun) this.#follow(position);
      else this.#start(position);
    }
    this.#report();
    this.#tidy(position);
  }

  /** Waits for the clock to come to what is there, with the first picture shown. */
  #start(position: number): void {
    const range = this.#ranges().find(([, end]) => end > position);
    if (!range) return;
    const { currentTime } = this.#element;
    // One that is held back stays at its picture, and is not wound back to the first that is still there.
    const start = range[0] < currentTime && currentTime < range[1] ? currentTime : range[0];
    if (position >= start) {
      this.#begun = true;
      this.#jump = this.#clock?.jump ?? 0;
      clearTimeout(this.#begin);
      this.#seek(position);
      this.#owner.play();
    } else {
      if (Math.abs(this.#element.currentTime - start) > 0.001) this.#seek(start);
      clearTimeout(this.#begin);
      this.#begin = setTimeout(() => this.#tend(), ((start - position) / (this.#clock?.rate ?? 1)) * 1000 + 1);
    }
  }

  /** Moves the element when it is too far off to be brought back by its rate, as after a stall. */
  #follow(position: number): void {
    const { currentTime } = this.#element;
    const behind = this.#behindHole();
    if (behind !== undefined) {
      this.#seek(behind);
      return;
    }
    const jump = this.#clock?.jump ?? 0;
    if (jump === this.#jump) {
      if (Math.abs(position - currentTime) < APART) {
        this.#apart = undefined;
        return;
      }
      this.#apart ??= now();
      if (now() - this.#apart < PATIENCE) return;
    }
    const ranges = this.#ranges();
    const there = ranges.find(([start, end]) => start <= position && position < end);
    // Beyond a gap: where the next pictures are.
    const next = ranges.find(([start]) => start > currentTime && start <= position + APART);
    const to = there ? position : next?.[0];
    if (to === undefined) {
      // The buffer is to be longer than what there is: the picture stands until the clock has come to it.
      if (jump !== this.#jump && position < currentTime) this.#hold(position);
      return;
    }
    this.#apart = undefined;
    this.#jump = jump;
    this.#seek(to);
  }

  #hold(position: number): void {
    this.#begun = false;
    this.#apart = undefined;
    this.#element.pause();
    this.#start(position);
  }

  /** Where there is more, if the element has stopped before a hole: it would wait for that to be filled, and the clock for it. */
  #behindHole(): number | undefined {
    const { currentTime, readyState } = this.#element;
    if (readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) return undefined;
    const ranges = this.#ranges();
    const here = ranges.find(([start, end]) => start <= currentTime && currentTime <= end);
    if (here && here[1] - currentTime > UNPLAYED) return undefined;
    return ranges.find(([start, end]) => start > currentTime && end - start > WORTH_PLAYING)?.[0];
  }

  #seek(to: number): void {
    this.#element.currentTime = to;
  }

  #pictured(): void {
    const { videoWidth, videoHeight, readyState } = this.#element;
    if (readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && videoWidth > 0) this.#owner.pictured(videoWidth, videoHeight);
  }

  /** Tells what the element does: at once upon an `event` of its own. */
  #report(event?: string): void {
    const at = now();
    if (this.#over || (!event && at - this.#reported.at < REPORT)) return;
    const { currentTime: time, paused, seeking, readyState, videoWidth: width, videoHeight: height } = this.#element;
    const moved = time > this.#reported.time;
    const ready = readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
    let kind: MediaState["kind"] = "waiting";
    if (paused || seeking || !this.#begun) kind = "still";
    else if (event === "playing" || (event !== "waiting" && ready && moved)) kind = "advancing";
    this.#reported = { at, time };
    const range = this.#ranges().find(([start, end]) => start <= time + 0.1 && time < end);
    const bufferLength = range ? range[1] - time : 0;
    this.#owner.state({ kind, at, time, bufferLength, width, height, ...this.#count(at), quota: this.#quota, jump: this.#jump });
  }

  #count(at: number): { fps: number; dropped: number } {
    const { totalVideoFrames = 0, droppedVideoFrames = 0 } = this.#element.getVideoPlaybackQuality?.() ?? {};
    const frames = totalVideoFrames - droppedVideoFrames;
    if (at - this.#counted.at >= 1000) {
      const fps = this.#counted.at ? Math.max(0, ((frames - this.#counted.frames) * 1000) / (at - this.#counted.at)) : 0;
      this.#counted = { at, frames, fps };
    }
    return { fps: this.#counted.fps, dropped: droppedVideoFrames };
  }

  #tidy(position: number | undefined): void {
    const at = now();
    if (position === undefined || !this.#begun || at - this.#tidied < TIDY) return;
    this.#tidied = at;
    const { paused, currentTime } = this.#element;
    // One that stands still, as in a hidden tab, goes on where the clock is.
    const played = paused ? position : Math.min(position, currentTime);
    for (const track of this.#tracks.values()) track.forget(played);
  }

  #fail(reason: string): void {
    if (this.#over) return;
    this.close();
    this.#owner.failed(reason);
  }
}

/** The engine's clock. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
